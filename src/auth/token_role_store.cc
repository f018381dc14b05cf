#include <array>
#include <string>
#include <utility>

#include "auth/text_list.h"
#include "coffer/auth/token_plan.h"
#include "coffer/auth/token_role.h"
#include "coffer/base/address_set.h"
#include "coffer/base/parse.h"

namespace coffer::auth {
namespace {

using RoleTexts = std::vector<std::string> TokenRole::*;
constexpr std::array<RoleTexts, 5> kRoleLists{
    &TokenRole::allowed_policies, &TokenRole::allowed_policies_glob,
    &TokenRole::disallowed_policies, &TokenRole::disallowed_policies_glob, &TokenRole::bound_cidrs};
using RoleNumber = std::int64_t TokenRole::*;
constexpr std::array<RoleNumber, 3> kRoleNumbers{&TokenRole::period, &TokenRole::explicit_max_ttl,
                                                 &TokenRole::uses};
using RoleFlag = bool TokenRole::*;
constexpr std::array<RoleFlag, 3> kRoleFlags{&TokenRole::orphan, &TokenRole::renewable,
                                             &TokenRole::no_default_policy};

// The lists, each as one text, then the other settings in a fixed order.
Bytes EncodeRole(const TokenRole& role) {
  std::vector<std::string> texts;
  texts.reserve(kRoleLists.size() + 1 + kRoleNumbers.size() + kRoleFlags.size());
  for (const RoleTexts list : kRoleLists) {
    texts.emplace_back(AsText(EncodeTexts(role.*list)));
  }
  texts.push_back(role.path_suffix);
  for (const RoleNumber number : kRoleNumbers) texts.push_back(std::to_string(role.*number));
  for (const RoleFlag flag : kRoleFlags) texts.emplace_back(role.*flag ? "1" : "0");
  return EncodeTexts(texts);
}

std::optional<TokenRole> DecodeRole(std::string name, ByteView bytes) {
  const auto texts = DecodeTexts(bytes);
  constexpr std::size_t kSettings = kRoleLists.size() + 1 + kRoleNumbers.size() + kRoleFlags.size();
  if (!texts || texts->size() != kSettings) return std::nullopt;
  TokenRole role;
  role.name = std::move(name);
  auto next = texts->begin();
  for (const RoleTexts list : kRoleLists) {
    auto values = DecodeTexts(AsBytes(*next++));
    if (!values) return std::nullopt;
    role.*list = std::move(*values);
  }
  role.path_suffix = *next++;
  for (const RoleNumber number : kRoleNumbers) {
    const auto value = ParseInt64(*next++);
    if (!value) return std::nullopt;
    role.*number = *value;
  }
  for (const RoleFlag flag : kRoleFlags) role.*flag = *next++ == "1";
  return role;
}

}  // namespace

Result<std::vector<std::string>> RoleStore::Names() const {
  COFFER_ASSIGN(storage::Reader reader, database_.Read());
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT name FROM token_roles ORDER BY name"));
  std::vector<std::string> names;
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return names;
    names.push_back(select.Text(0));
  }
}

Result<std::optional<TokenRole>> RoleStore::Read(const std::string& name) const {
  COFFER_ASSIGN(storage::Reader reader, database_.Read());
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT settings FROM token_roles WHERE name = ?"));
  select.Bind(0, name);
  COFFER_ASSIGN(const bool row, select.Step());
  if (!row) return std::nullopt;
  auto role = DecodeRole(name, select.Blob(0));
  if (!role) {
    return Fail(Code::kCorrupt, "the table of token roles is damaged: restore a backup",
                "role " + name);
  }
  return role;
}

Status RoleStore::Write(const TokenRole& role) {
  if (const auto bound = AddressSet::Parse(role.bound_cidrs); !bound) {
    return Fail(Code::kInvalid, bound.error().message);
  }
  if (role.period > kLongestPeriod) {
    return Fail(Code::kInvalid, "a period is at most 100 years long");
  }
  if (role.uses < 0) return Fail(Code::kInvalid, "'token_num_uses' cannot be negative");
  const Bytes settings = EncodeRole(role);
  constexpr std::size_t kMaxRoleBytes = std::size_t{64} * 1024;
  if (settings.size() > kMaxRoleBytes) {
    return Fail(Code::kInvalid, "the settings of a role take at most 64 KiB");
  }
  COFFER_ASSIGN(storage::Transaction transaction, database_.Begin());
  COFFER_ASSIGN(
      storage::Statement insert,
      transaction.Prepare("INSERT OR REPLACE INTO token_roles (name, settings) VALUES (?, ?)"));
  COFFER_TRY(insert.Bind(0, role.name).Bind(1, ByteView(settings)).Run());
  return transaction.Commit();
}

Status RoleStore::Delete(const std::string& name) {
  COFFER_ASSIGN(storage::Transaction transaction, database_.Begin());
  COFFER_ASSIGN(storage::Statement remove,
                transaction.Prepare("DELETE FROM token_roles WHERE name = ?"));
  COFFER_TRY(remove.Bind(0, name).Run());
  return transaction.Commit();
}

}  // namespace coffer::auth
