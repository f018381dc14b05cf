// The wire contract of Vault: its tokens, its paths, its envelope and its errors.

#include <string>
#include <utility>

#include "api/face.h"
#include "api/vault/envelope.h"
#include "api/vault/errors.h"
#include "api/vault/help.h"
#include "api/vault/request_reader.h"
#include "coffer/api/faces.h"

namespace coffer::api {
namespace {

class VaultFace final : public Face {
 public:
  VaultFace(const Registry& registry, const mounts::MountTable& mounts,
            const auth::TokenStore& tokens)
      : registry_(registry), mounts_(mounts), tokens_(tokens), help_(registry) {}

  Caller Identify(const http::Request& request) const override {
    Caller caller{TokenOf(request)};
    if (caller.credential.empty()) return caller;
    auto access = tokens_.Authenticate(caller.credential, request.remote_address);
    if (access) {
      caller.token = std::move(access->token);
      caller.rules = std::move(access->rules);
    } else if (access.error().code != Code::kPermissionDenied) {
      caller.unavailable = Fail(std::move(access).error());
    }
    return caller;
  }
  Finding Find(const http::Request& request) const override;
  Result<JsonValue> ReadParameters(const http::Request& request, Verb verb) const override {
    return api::ReadParameters(request, verb);
  }
  std::size_t MemoryOfParameters(const http::Request& request) const override {
    return ParametersSize(request.body);
  }
  bool BodyIsParameters(const http::Request& request, Verb verb) const override {
    return BodyIsJson(request, verb);
  }
  void BeginAnswer(const Endpoint& endpoint, std::string_view request_id,
                   std::string& body) const override {
    body.reserve(kEnvelopeSize);
    if (!endpoint.raw) AppendEnvelopeHead(request_id, body);
  }
  std::size_t EndAnswer(const Answer& answer, std::string& body) const override;
  void WriteError(const Error& error, http::Response& response) const override;
  void WriteRefusal(std::string_view text, http::Response& response) const override {
    response.body = ErrorList(text);
  }
  std::string_view PathOfTarget(std::string_view target) const override {
    if (target.starts_with(kApiPrefix)) target.remove_prefix(kApiPrefix.size());
    return target;
  }

 private:
  void FindHelp(Finding& finding) const;

  const Registry& registry_;
  const mounts::MountTable& mounts_;
  const auth::TokenStore& tokens_;
  const HelpPages help_;
};

Finding VaultFace::Find(const http::Request& request) const {
  Finding finding;
  finding.verb = VerbOf(request);
  finding.path = PathOf(request);
  if (finding.path.empty()) return finding;
  auto routed = Route(registry_, mounts_, finding.path);
  // Clients ask for the help of a mount by its path without the slash, too.
  if (!routed && WantsHelp(request)) {
    auto mount = Route(registry_, mounts_, std::string(finding.path) + "/");
    if (mount) routed = std::move(mount);
  }
  if (routed) {
    finding.target = std::move(*routed);
  } else {
    finding.nowhere = Fail(std::move(routed).error());
  }
  finding.unacceptable = CheckHeaders(request);
  finding.unauthenticated_only = request.method == http::Method::kHead;
  if (finding.target && WantsHelp(request)) FindHelp(finding);
  return finding;
}

void VaultFace::FindHelp(Finding& finding) const {
  const Target& target = *finding.target;
  if (target.match.endpoint != nullptr) {
    finding.help = &help_.Of(*target.match.endpoint);
  } else if (target.at_root) {
    finding.help = &help_.Of(*target.engine);
  }
}

std::size_t VaultFace::EndAnswer(const Answer& answer, std::string& body) const {
  const Endpoint& endpoint = answer.endpoint;
  if (!endpoint.raw) return AppendEnvelopeTail(answer, body);
  if (endpoint.content_type == kJson && answer.reply.document == nullptr) body += '\n';
  return 0;
}

void VaultFace::WriteError(const Error& error, http::Response& response) const {
  response.status = HttpStatus(error);
  response.body = ErrorBody(error);
  response.content_type = kJson;
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
}

}  // namespace

std::shared_ptr<const Face> MakeVaultFace(const Registry& registry,
                                          const mounts::MountTable& mounts,
                                          const auth::TokenStore& tokens) {
  return std::make_shared<const VaultFace>(registry, mounts, tokens);
}

}  // namespace coffer::api
