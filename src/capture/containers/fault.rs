//! What can be wrong with a container.

/// Why a container, or a body in it, cannot be read. Says the mend; never what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerFault {
    /// The gzip stream ends inside a member.
    #[error("the gzip data ends too soon; the file is cut short, fetch it again")]
    GzipTruncated,
    /// A gzip member that cannot be inflated or whose checksum is wrong.
    #[error("broken gzip data or a wrong checksum; what follows was not read, fetch the file again")]
    GzipBroken,
    /// Bytes after the last member that are no member.
    #[error("bytes after the end of the gzip data; they were kept and not read")]
    GzipTrailing,
    /// Something that is no WARC record where one must begin.
    #[error("no WARC record begins here; what stands up to the next record was kept and not read")]
    WarcNoRecord,
    /// A record's header cannot be read.
    #[error("the header of the WARC record is broken or names no length; mend it or fetch the file again")]
    WarcHeader,
    /// The file ends inside a record.
    #[error("the WARC record ends too soon; the file is cut short, fetch it again")]
    WarcTruncated,
    /// Content-Length is too small or too large; reading went on at the next record.
    #[error("Content-Length of the WARC record is wrong; reading went on at the next record")]
    WarcLength,
    /// The block's digest does not match.
    #[error("WARC-Block-Digest does not match the record; it was changed after it was captured")]
    BlockDigest,
    /// The payload's digest does not match.
    #[error("WARC-Payload-Digest does not match the payload; it was changed after it was captured")]
    PayloadDigest,
    /// A digest in an algorithm that is not known.
    #[error("a digest of the WARC record is in an algorithm that is not known; it was not checked")]
    DigestForm,
    /// The body goes on in other records.
    #[error("the body is cut into segments over several records; join them before it is taken in")]
    Segmented,
    /// The HTTP message's head or its chunks cannot be read.
    #[error("the HTTP message is broken; its body was kept and not read")]
    Http,
    /// A content or transfer coding that cannot be undone.
    #[error(
        "the body is in a coding that is not supported (gzip, deflate and br are); fetch it in one of these"
    )]
    Coding,
    /// The body's coding is broken.
    #[error("the compressed body is broken or cut short; it was kept and not read to its end")]
    Body,
    /// Decodes to far more than it has bytes.
    #[error("decodes to more than {} times its size; taken for a bomb and not read on", super::RATIO_MAX)]
    Bomb,
    /// Too many containers in one another.
    #[error("containers nested deeper than {}; unpack the inner ones", super::NESTED_MAX)]
    Nested,
    /// Something that is no part of a ZIP archive.
    #[error("the ZIP archive is broken here; what follows was kept and not read, fetch it again")]
    ZipBroken,
    /// The archive has no end.
    #[error("the ZIP archive ends too soon; the file is cut short, fetch it again")]
    ZipTruncated,
    /// The entry is encrypted.
    #[error("the ZIP entry is encrypted; decrypt the archive first")]
    ZipEncrypted,
    /// A compression other than stored and deflated.
    #[error("the ZIP entry is compressed in a way that is not supported; pack it again with deflate")]
    ZipMethod,
    /// A name that would lead out of the archive.
    #[error("the ZIP entry has a path that leads out of the archive; it was not read")]
    ZipPath,
    /// Two entries of one name.
    #[error("a ZIP entry of this name came before; it was not read")]
    ZipTwice,
    /// Checksum or size disagree with the data.
    #[error("checksum or size of the ZIP entry are wrong; fetch the archive again")]
    ZipChecksum,
    /// The directory at the end names other entries than are there.
    #[error("the directory of the ZIP archive does not agree with its entries; pack it again")]
    ZipDirectory,
    /// More entries than are read.
    #[error("the ZIP archive has more than {} entries; split it", super::ENTRIES_MAX)]
    ZipEntries,
    /// A WACZ without its list of contents.
    #[error("the WACZ has no readable `datapackage.json`; make it again")]
    WaczPackage,
    /// A resource is listed and is not there.
    #[error("resource {0} that `datapackage.json` lists is not in the WACZ; make it again")]
    WaczMissing(u64),
    /// A resource is not what the list says.
    #[error("resource {0} of the WACZ has another hash or size than `datapackage.json` says; it was changed")]
    WaczHash(u64),
    /// A hash in a form that is not known.
    #[error("the hash of resource {0} of the WACZ is in an algorithm or form that is not known")]
    WaczAlgorithm(u64),
    /// An archived file that the list leaves out.
    #[error("the WACZ holds a file under `archive/` that `datapackage.json` does not list; it was added")]
    WaczUnlisted,
    /// `datapackage-digest.json` cannot be read or names another hash.
    #[error("`datapackage-digest.json` does not match `datapackage.json`; the list was changed")]
    WaczDigest,
    /// The signature does not hold.
    #[error("the signature of the WACZ does not hold")]
    WaczSignature,
    /// The signature's key or certificate cannot be read.
    #[error(
        "the key or certificate of the WACZ's signature cannot be read or is of a kind that is not known"
    )]
    WaczKey,
    /// The header of a CAR cannot be read, or is of another version.
    #[error("the header of the CAR is broken or not of version 1; export the repository again")]
    CarHeader,
    /// The CAR ends inside a block.
    #[error("the CAR ends inside a block; the file is cut short, fetch it again")]
    CarTruncated,
    /// A block that cannot be read.
    #[error("a block of the CAR is broken; it was kept and not read, export the repository again")]
    CarBlock,
    /// A block's bytes are not those its name stands for.
    #[error("a block of the CAR does not hash to its name; it was changed, and was kept and not read")]
    CarName,
    /// A block's name is of a hash that is not known.
    #[error("a block of the CAR is named by a hash other than SHA-256; it was kept and not read")]
    CarHash,
    /// A record without an address.
    #[error(
        "a record of the CAR has no place in the tree of the repository (an older state, or part of it is missing); \
         it was kept and not read"
    )]
    CarUnplaced,
    /// Records so long before the tree that they would have to be kept.
    #[error(
        "records of the CAR stand too long before the tree that names them; fetch the repository again \
         (com.atproto.sync.getRepo), list its records instead (com.atproto.repo.listRecords), or raise the limit"
    )]
    CarOrder,
}
