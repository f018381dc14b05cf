#include "cli/yaml.h"

#include <yaml.h>

#include <array>
#include <nlohmann/json.hpp>
#include <regex>
#include <string_view>

namespace coffer::cli {
namespace {

using nlohmann::json;

// A plain scalar of this form would be read as something else than a string.
bool ReadsAsAnother(const std::string& text) {
  static const std::regex number(
      R"([-+]?(\.?[0-9][0-9_,]*|[0-9][0-9_,]*\.[0-9_]*)([eE][-+]?[0-9]+)?|0[xo][0-9a-fA-F_]+|0b[01_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))");
  static const std::regex date(R"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?)");
  static const std::regex word(R"(|~|<<|=|null|true|false|yes|no|on|off|y|n)",
                               std::regex::icase | std::regex::ECMAScript);
  if (text.size() > 64) return false;
  return std::regex_match(text, word) || std::regex_match(text, number) ||
         std::regex_match(text, date);
}

class Emitter {
 public:
  Emitter() {
    ::yaml_emitter_initialize(&emitter_);
    ::yaml_emitter_set_output(&emitter_, &Emitter::Collect, &text_);
    ::yaml_emitter_set_unicode(&emitter_, 1);
    ::yaml_emitter_set_width(&emitter_, -1);
  }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;
  ~Emitter() { ::yaml_emitter_delete(&emitter_); }

  std::string Emit(const json& document) {
    yaml_event_t event;
    ::yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    ::yaml_emitter_emit(&emitter_, &event);
    ::yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
    ::yaml_emitter_emit(&emitter_, &event);
    Add(document);
    ::yaml_document_end_event_initialize(&event, 1);
    ::yaml_emitter_emit(&emitter_, &event);
    ::yaml_stream_end_event_initialize(&event);
    ::yaml_emitter_emit(&emitter_, &event);
    return std::move(text_);
  }

 private:
  static int Collect(void* text, unsigned char* data, std::size_t size) {
    static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(data), size);
    return 1;
  }

  void Scalar(const std::string& text, yaml_scalar_style_t style) {
    yaml_event_t event;
    ::yaml_scalar_event_initialize(
        &event, nullptr, nullptr,
        const_cast<yaml_char_t*>(reinterpret_cast<const yaml_char_t*>(text.data())),
        static_cast<int>(text.size()), 1, 1, style);
    ::yaml_emitter_emit(&emitter_, &event);
  }

  void Text(const std::string& text) {
    Scalar(text, text.find('\n') != std::string::npos ? YAML_LITERAL_SCALAR_STYLE
                 : ReadsAsAnother(text)               ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                                      : YAML_PLAIN_SCALAR_STYLE);
  }

  void Add(const json& value) {
    yaml_event_t event;
    if (value.is_object()) {
      ::yaml_mapping_start_event_initialize(
          &event, nullptr, nullptr, 1,
          value.empty() ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
      ::yaml_emitter_emit(&emitter_, &event);
      for (const auto& [name, member] : value.items()) {
        Text(name);
        Add(member);
      }
      ::yaml_mapping_end_event_initialize(&event);
      ::yaml_emitter_emit(&emitter_, &event);
    } else if (value.is_array()) {
      ::yaml_sequence_start_event_initialize(
          &event, nullptr, nullptr, 1,
          value.empty() ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
      ::yaml_emitter_emit(&emitter_, &event);
      for (const json& item : value) Add(item);
      ::yaml_sequence_end_event_initialize(&event);
      ::yaml_emitter_emit(&emitter_, &event);
    } else if (value.is_string()) {
      Text(value.get_ref<const std::string&>());
    } else {
      Scalar(value.dump(), YAML_PLAIN_SCALAR_STYLE);
    }
  }

  yaml_emitter_t emitter_{};
  std::string text_;
};

}  // namespace

std::string ToYaml(const json& document) { return Emitter().Emit(document); }

}  // namespace coffer::cli
