export { Point, verifyAsync } from "@noble/ed25519";
