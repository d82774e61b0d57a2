#include <libzoo/io/label_list.h>

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::io {
namespace {

constexpr const char* kForms = R"(a line is path,label;label or {"path": "…", "labels": ["…"]})";

[[noreturn]] void refuse(const std::string& place, const std::string& what) { throw UserError(fmt::format("{}: {}", place, what), kForms); }

// The field that `line` begins with, which is taken off it together with the comma behind.
std::string take_field(std::string_view& line, const std::string& place) {
  std::string field;
  if (line.starts_with('"')) {
    size_t i = 1;
    for (; i < line.size(); ++i) {
      if (line[i] != '"') {
        field += line[i];
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        field += line[i++];
      } else {
        break;
      }
    }
    if (i == line.size()) refuse(place, "a quote is not closed");
    line.remove_prefix(i + 1);
    if (!line.empty() && line[0] != ',') refuse(place, "text behind a closed quote");
  } else {
    field = line.substr(0, line.find(','));
    line.remove_prefix(field.size());
  }
  if (!line.empty()) line.remove_prefix(1);
  return field;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

LabelledPath from_csv(std::string_view line, const std::string& place) {
  if (line.find(',') == std::string_view::npos) refuse(place, "no comma");
  LabelledPath item{.path = take_field(line, place)};
  const std::string labels = take_field(line, place);
  if (!line.empty()) refuse(place, "more than two columns");
  for (std::string_view rest = labels; !trimmed(rest).empty();) {
    const std::string_view label = rest.substr(0, rest.find(';'));
    item.labels.emplace_back(trimmed(label));
    rest.remove_prefix(std::min(label.size() + 1, rest.size()));
  }
  return item;
}

LabelledPath from_json(std::string_view line, const std::string& place) {
  const Json json = parse_json(line, place, /*max_depth=*/4);
  if (!json.is_object() || json.size() != 2 || !json.contains("path") || !json["path"].is_string() || !json.contains("labels") ||
      !json["labels"].is_array())
    refuse(place, "not an object of path and labels");
  LabelledPath item{.path = json["path"]};
  for (const Json& label : json["labels"]) {
    if (!label.is_string()) refuse(place, "a label is no text");
    item.labels.push_back(label);
  }
  return item;
}

void require_labels(const LabelledPath& item, const std::string& place) {
  if (item.path.empty()) refuse(place, "an empty path");
  auto sorted = item.labels;
  std::sort(sorted.begin(), sorted.end());
  if (!sorted.empty() && sorted[0].empty()) refuse(place, "an empty label");
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) refuse(place, fmt::format("the label '{}' twice", *twice));
}

}  // namespace

std::vector<LabelledPath> parse_label_list(std::string_view text, LabelListFormat format, const std::string& where) {
  std::vector<LabelledPath> items;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && format == LabelListFormat::csv && line == "path,labels")) continue;
    const std::string place = fmt::format("{}:{}", where, number);
    if (!is_utf8(line)) refuse(place, "not UTF-8");
    items.push_back(format == LabelListFormat::csv ? from_csv(line, place) : from_json(line, place));
    items.back().line = number;
    require_labels(items.back(), place);
  }
  return items;
}

}  // namespace zoo::io
