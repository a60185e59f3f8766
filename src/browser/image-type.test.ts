import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pictures } from "../e2e/pictures.ts";
import { type ImageType, imageType } from "./image-type.ts";

const start = (type: ImageType) => pictures[type].slice(0, 64);
const types = Object.keys(pictures) as ImageType[];
const bytes = (text: string) => new TextEncoder().encode(text);

describe("what a file is previewed as", () => {
  it("is a picture of the kind that its type and its bytes agree on, and nothing else", () => {
    for (const said of types) {
      for (const found of types) {
        const expected = said === found ? found : undefined;
        assert.equal(imageType({ name: "x", type: said }, start(found)), expected, `${said}, ${found}`);
      }
    }
  });

  it("goes by the name's extension where no type was given", () => {
    const cases: readonly (readonly [string, ImageType | undefined])[] = [
      ["a.png", "image/png"],
      ["a.tar.PNG", "image/png"],
      ["a.jpg", undefined],
      ["png", "image/png"],
      ["a.png.exe", undefined],
      ["", undefined],
      ["a.constructor", undefined],
    ];
    for (const [name, expected] of cases)
      assert.equal(imageType({ name }, start("image/png")), expected, name);
    assert.equal(imageType({}, start("image/png")), undefined);
  });

  it("is nothing where the type isn't a picture's, whatever the bytes are", () => {
    for (const type of ["application/octet-stream", "text/html", "image/svg+xml", "image/x-icon"]) {
      for (const found of types)
        assert.equal(imageType({ name: "a.png", type }, start(found)), undefined, type);
    }
  });

  it("is nothing where the bytes are no picture, or fewer than its mark", () => {
    for (const type of types) {
      for (const other of [
        "",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "<!doctype html>",
        "RIFF0000WAVEfmt ",
      ]) {
        assert.equal(imageType({ type }, bytes(other)), undefined, `${type}: ${other}`);
      }
      assert.equal(imageType({ type }, start(type).slice(0, 2)), undefined, type);
    }
  });

  it("tells AVIF from its siblings: HEIC, MP4, and files that only mention it", () => {
    const box = (brands: string) => bytes(`\0\0\0\x20ftyp${brands}`);
    const type = "image/avif";
    assert.equal(imageType({ type }, box("mif1\0\0\0\0mif1avifmiaf")), type);
    assert.equal(imageType({ type }, box("avis\0\0\0\0msf1")), type);
    for (const brands of ["heic\0\0\0\0mif1heic", "isom\0\0\0\0mp42", "isomaviXmp42", "iso avifmp42"]) {
      assert.equal(imageType({ type }, box(brands)), undefined, brands);
    }
  });
});
