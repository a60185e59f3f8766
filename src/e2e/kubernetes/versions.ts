/** What the chart is checked with and against. Chart.yaml's kubeVersion starts at the oldest. */
export const helmVersion = "v3.22.0";
export const kubeconformVersion = "v0.8.0";

export interface KubernetesVersion {
  readonly minor: string;
  readonly version: string;
}
export const oldest: KubernetesVersion = { minor: "1.30", version: "v1.30.14" };
export const newest: KubernetesVersion = { minor: "1.36", version: "v1.36.3" };

/** Where custom resources' definitions come from. The chart uses nothing that the older lack. */
export const gatewayApiVersions = { oldest: "v1.2.1", newest: "v1.6.3" };
export const prometheusOperatorVersion = "v0.85.0";
