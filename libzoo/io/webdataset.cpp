#include <libzoo/core/error.h>
#include <libzoo/io/webdataset.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::io {
namespace {

bool is_meta(std::string_view top) { return top.size() >= 4 && top.starts_with("__") && top.ends_with("__"); }

// Of ASCII letters only, whatever the locale.
std::string lowercase(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

std::optional<std::pair<std::string_view, std::string_view>> split_web_name(std::string_view name) {
  if (is_meta(name.substr(0, name.find('/')))) return std::nullopt;
  const size_t slash = name.rfind('/'), base = slash == std::string_view::npos ? 0 : slash + 1;
  const size_t dot = name.find('.', base);
  if (dot == std::string_view::npos || dot == base) return std::nullopt;
  return std::pair(name.substr(0, dot), name.substr(dot + 1));
}

const WebField* WebSample::find(std::string_view extension) const {
  const auto found = std::ranges::find(fields, extension, &WebField::extension);
  return found == fields.end() ? nullptr : &*found;
}

std::optional<WebSample> WebDatasetReader::next() {
  std::optional<WebSample> sample = std::exchange(pending_, std::nullopt);
  std::set<std::string> seen;
  if (sample) seen.insert(sample->fields[0].extension);
  while (const auto member = tar_.next()) {
    const auto name = member->regular() ? split_web_name(member->name) : std::nullopt;
    if (!name) continue;
    WebField field{lowercase(name->second), member->offset, member->size};
    if (sample && sample->key != name->first) {
      pending_ = WebSample{std::string(name->first), {std::move(field)}};
      return sample;
    }
    if (!sample) sample = WebSample{std::string(name->first), {}};
    if (!seen.insert(field.extension).second)
      throw UserError(fmt::format("{}: byte {}: sample '{}' has two files '{}'", where_, field.offset, sample->key, field.extension));
    sample->fields.push_back(std::move(field));
  }
  return sample;
}

Bytes WebDatasetReader::bytes(const WebField& field) const {
  return tar_.payload({.name = field.extension, .type = '0', .size = field.size, .offset = field.offset});
}

void WebDatasetWriter::add(std::string_view key, std::span<const Field> fields) {
  const auto refuse = [&](std::string_view why) {
    throw Error(fmt::format("{}: sample {} '{}': {}", target_.string(), samples_, key, why));
  };
  if (fields.empty()) refuse("it has no files");
  if (samples_ > 0 && key == last_key_) refuse("its key is that of the sample before it");
  std::set<std::string_view> seen;
  for (const auto& [extension, bytes] : fields) {
    if (extension.find('/') != std::string_view::npos || extension != lowercase(extension))
      refuse(fmt::format("the extension '{}' has a '/' or capitals", extension));
    const std::string name = fmt::format("{}.{}", key, extension);
    const auto split = split_web_name(name);
    if (!split || split->first != key) refuse("a key needs a base name without a dot, and __…__ at the top is passed over");
    if (!seen.insert(extension).second) refuse(fmt::format("the extension '{}' is repeated", extension));
  }
  for (const auto& [extension, bytes] : fields) tar_.add(fmt::format("{}.{}", key, extension), bytes);
  last_key_ = key;
  ++samples_;
}

}  // namespace zoo::io
