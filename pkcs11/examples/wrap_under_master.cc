// Keeps a key outside the token as a wrapped blob that only this token can open again, and only as
// a key that cannot be read: the master's template pins what C_UnwrapKey may make of it.
#include <cstdio>

#include "coffer/pkcs11/probe.h"
#include "example_token.h"

namespace {

using namespace coffer::pkcs11;

Attributes SessionAesKey() {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, KeyType::kAes)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true);
  return attributes;
}

// The attributes that every key unwrapped under the master must have. SoftHSM requires the caller
// to list each of them, too.
Attributes PinnedAttributes() {
  Attributes attributes = SessionAesKey();
  attributes.Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kWrap, false)
      .Add(AttributeType::kUnwrap, false)
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

Attributes MasterAttributes(MechanismType key_wrap) {
  Attributes attributes = SessionAesKey();  // a real one is a token object with a label
  attributes.Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kWrap, true)
      .Add(AttributeType::kUnwrap, true);
  // Left out, SoftHSM would set these; with decrypt, a wrapped key could be read as a plaintext.
  for (const AttributeType usage :
       {AttributeType::kEncrypt, AttributeType::kDecrypt, AttributeType::kSign,
        AttributeType::kVerify, AttributeType::kDerive}) {
    attributes.Add(usage, false);
  }
  attributes.Add(AttributeType::kValueLen, 32UL)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {key_wrap})
      .AddTemplate(AttributeType::kUnwrapTemplate, PinnedAttributes())
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

coffer::Status WrapAndUnwrap(Session& session) {
  COFFER_ASSIGN(const TokenProfile profile, ProbeToken(session));
  if (!profile.key_wrap_with_padding || profile.unwrap_template != UnwrapTemplateUse::kEnforced) {
    return coffer::Fail(coffer::Code::kTokenRefused,
                        "this token cannot keep wrapped keys safely: keep them in it");
  }
  const MechanismType key_wrap = *profile.key_wrap_with_padding;
  COFFER_ASSIGN(const ObjectHandle master,
                session.GenerateKey(MechanismType::kAesKeyGen, MasterAttributes(key_wrap)));

  Attributes newborn = SessionAesKey();  // extractable only until it is wrapped, and of no use
  newborn.Add(AttributeType::kExtractable, true)
      .Add(AttributeType::kEncrypt, false)
      .Add(AttributeType::kDecrypt, false)
      .Add(AttributeType::kValueLen, 32UL);
  COFFER_ASSIGN(const ObjectHandle key, session.GenerateKey(MechanismType::kAesKeyGen, newborn));
  COFFER_ASSIGN(const coffer::Bytes blob, session.WrapKey(key_wrap, master, key));
  COFFER_TRY(session.DestroyObject(key));
  std::printf("wrapped key: %zu octets\n", blob.size());

  Attributes usable;
  usable.Add(AttributeType::kEncrypt, true)
      .Add(AttributeType::kDecrypt, true)
      .Append(PinnedAttributes());  // modifiable = false stays last
  COFFER_TRY(session.UnwrapKey(key_wrap, master, blob, usable));
  std::printf("unwrapped for use\n");

  Attributes readable = SessionAesKey();
  readable.Add(AttributeType::kExtractable, true);
  const auto stolen = session.UnwrapKey(key_wrap, master, blob, readable);
  std::printf("unwrapping it extractable: %s\n",
              stolen ? "accepted" : stolen.error().cause.c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) { return example::Run(argc, argv, WrapAndUnwrap); }
