export { fromBER, GeneralizedTime } from "asn1js";
export { Certificate, CertificateSet, ContentInfo, CryptoEngine, IssuerAndSerialNumber, SignedData, TimeStampResp, TSTInfo } from "pkijs";
