// Keys wrapped for other servers, keys agreed on with others, and certificates, as work of the
// custodian.

#include <utility>

#include "keyring/key_config.h"
#include "keyring/key_ring_impl.h"

namespace coffer::keyring {

Result<Bytes> KeyRing::Export(const Key& key, const KeyVersion& version,
                              const crypto::PublicKey& destination, crypto::HashAlgorithm hash) {
  if (!key.exportable) return Fail(Refusal::kKeyNotExportable);
  if (version.custody != Custody::kWrapped) {
    return Fail(Refusal::kExportPublicOnly, {.given = version.info.version});
  }
  Bytes exported;
  COFFER_TRY(impl_->custodian.Run([&](Token& token) -> Status {
    COFFER_ASSIGN(exported, token.Export(key.SpecOf(version), version.info.master, version.blob,
                                         destination, hash));
    return {};
  }));
  return exported;
}

KeyRing::Changed KeyRing::Agree(const Id& mount, const KeyName& name, KeyType type, const Key& base,
                                const KeyVersion& version, const crypto::PublicKey& peer,
                                const Actor& actor) {
  const KeyTypeInfo& info = base.Info();
  if (info.family != Family::kEcdsa) {
    return Fail(Refusal::kKeyAgreementUnsupported, {.name = std::string(info.name)});
  }
  if (version.custody != Custody::kWrapped) {
    return Fail(Refusal::kPrivatePartMissing, {.purpose = Purpose::kSigning});
  }
  if (peer.kind() != crypto::PublicKey::Kind::kEcdsa || peer.Bits() != info.bits) {
    return Fail(Refusal::kPublicKeyOfOtherType, {.name = std::string(info.name)});
  }
  const CreateOptions options{.type = type};
  return impl_->AddImported(mount, name, options, false, Refusal::kKeyExists,
                            [&](Token& token, Key& key) -> Result<KeyVersion> {
                              COFFER_ASSIGN(NewVersion made,
                                            token.Agree(base.SpecOf(version), version.info.master,
                                                        version.blob, peer, key.Spec()));
                              return impl_->VersionFrom(std::move(made), 1, actor);
                            });
}

KeyRing::Changed KeyRing::SetCertificates(const Id& mount, std::string_view name,
                                          std::int64_t version,
                                          const crypto::CertificateChain& chain) {
  const auto keep = [&](Token&, Key& key, std::vector<int>&) -> Status {
    COFFER_ASSIGN(const KeyVersion* const chosen, key.ForCertificateRequest(version));
    if (chosen->spki != chain.Spki()) {
      return Fail(Refusal::kCertificateOfOtherKey, {.given = chosen->info.version});
    }
    key.versions.at(chosen->info.version).certificate_chain = chain.Pem();
    return {};
  };
  return impl_->ChangeKey(mount, name, keep);
}

}  // namespace coffer::keyring
