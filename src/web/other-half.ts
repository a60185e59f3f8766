import { Router } from "express";
import type { AccessGate } from "./access-gate.ts";
import { constantPage, createFrame, forWhoMayCreate, type PageDeps } from "./pages.ts";

/**
 * On an instance that serves half: where the other half's first page would be, what this one does. It
 * knows no secrets and guesses are of no use here, so that no visit counts as a miss.
 */
export function createOtherHalf({ config, assets, render }: PageDeps, gate: AccessGate): Router {
  const { basePath, role } = config;
  const frame = createFrame({ config, assets, render });
  const router = Router({ caseSensitive: true, strict: true });

  // 200: who watches over a service, and what stands in front of it, asks for this address first.
  if (role === "open") {
    const data = { assistedHref: config.assisted ? `${basePath}/assisted/open` : undefined };
    const page = frame({ title: "Secrets are opened here" }, false);
    router.get("/", constantPage(render("opens-here", data, page)));
  }

  // 404: a link leads nowhere here, and who tries one of their own has to notice. No redirect: the browser
  // would take the key along to an address that its person has not seen. Where both halves have one
  // name, what stands in front has gone wrong, and there is no other address to tell.
  const { publicUrl, linkUrl } = frame({ title: "" }, false);
  if (role === "create" && linkUrl !== publicUrl) {
    const data = { opensAt: linkUrl, createsAt: publicUrl };
    const page = forWhoMayCreate(gate, (mayCreate) =>
      constantPage(
        render("opens-elsewhere", data, frame({ title: "Secrets are created here" }, mayCreate)),
        404,
      ),
    );
    router.get("/s", page);
  }
  return router;
}
