#include "coffer/pkcs11/uri.h"

#include <p11-kit/uri.h>

#include <cstring>
#include <memory>
#include <utility>

#include "coffer/base/ascii.h"
#include "coffer/base/secret_bytes.h"
#include "cryptoki.h"

namespace coffer::pkcs11 {
namespace {

constexpr std::size_t kMaxOctets = 4096;

struct FreeUri {
  void operator()(P11KitUri* uri) const {
    // p11_kit_uri_free does not wipe a PIN that stood in the text.
    if (const char* const pin = p11_kit_uri_get_pin_value(uri)) {
      SecureWipe(const_cast<char*>(pin), std::strlen(pin));
    }
    p11_kit_uri_free(uri);
  }
};

// A CK_TOKEN_INFO field is padded with blanks; p11-kit leaves one that the URI does not name zero.
std::string FieldText(const unsigned char* field, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(field), size);
  text.resize(std::strlen(text.c_str()));
  const std::size_t last = text.find_last_not_of(' ');
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

std::string TextOf(const char* text) { return text == nullptr ? "" : text; }

auto Invalid(std::string_view why) {
  return Fail(Code::kInvalid, "failed to read the token's pkcs11 uri: " + std::string(why));
}

}  // namespace

Result<TokenUri> ParseTokenUri(std::string_view text) {
  if (text.size() > kMaxOctets) return Invalid("it is too long");
  const std::unique_ptr<P11KitUri, FreeUri> uri(p11_kit_uri_new());
  const std::string owned(text);
  const int parsed = p11_kit_uri_parse(owned.c_str(), P11_KIT_URI_FOR_ANY, uri.get());
  if (parsed != P11_KIT_URI_OK) return Invalid(p11_kit_uri_message(parsed));
  if (p11_kit_uri_get_pin_value(uri.get()) != nullptr) {
    return Invalid("pin-value is not allowed: name a file with pin-source");
  }
  if (p11_kit_uri_any_unrecognized(uri.get()) != 0) return Invalid("it has an unknown part");
  CK_ULONG attributes = 0;
  p11_kit_uri_get_attributes(uri.get(), &attributes);
  if (attributes != 0) return Invalid("it names an object, not a token");
  if (p11_kit_uri_get_slot_id(uri.get()) != static_cast<CK_SLOT_ID>(-1)) {
    return Invalid("slot numbers change: name the token by its label");
  }
  if (p11_kit_uri_get_module_name(uri.get()) != nullptr) {
    return Invalid("name the module by module-path");
  }
  const CK_TOKEN_INFO& info = *p11_kit_uri_get_token_info(uri.get());
  TokenUri result;
  result.token = FieldText(info.label, sizeof info.label);
  result.serial = FieldText(info.serialNumber, sizeof info.serialNumber);
  result.manufacturer = FieldText(info.manufacturerID, sizeof info.manufacturerID);
  result.model = FieldText(info.model, sizeof info.model);
  result.module_path = TextOf(p11_kit_uri_get_module_path(uri.get()));
  result.pin_source = TextOf(p11_kit_uri_get_pin_source(uri.get()));
  return result;
}

Result<std::string> PinSourceFile(std::string_view pin_source) {
  const auto refused =
      Fail(Code::kInvalid, "a pin source is the absolute path of a file, or file:// before it");
  if (pin_source.starts_with('/')) return std::string(pin_source);
  if (!pin_source.starts_with("file:")) return refused;
  pin_source.remove_prefix(5);
  if (pin_source.starts_with("//")) pin_source.remove_prefix(2);
  if (!pin_source.starts_with('/')) return refused;
  std::string path;
  if (!PercentDecode(pin_source, false, path) || path.find('\0') != std::string::npos) {
    return refused;
  }
  return path;
}

}  // namespace coffer::pkcs11
