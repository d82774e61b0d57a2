#include "apps/common/print.h"

#include <libzoo/core/scalar_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace zoo::apps {
namespace {

std::string scalar(const Json& value) {
  if (value.is_string()) return one_line(value.get_ref<const std::string&>());
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (value.is_null()) return "-";
  if (value.is_array()) {
    std::string list;
    for (const Json& item : value) list += (list.empty() ? "" : ", ") + scalar(item);
    return list;
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_table(const Json& value) {
  return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& row) { return row.is_object(); });
}

size_t width_of(const std::string& text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string table(const Json& rows) {
  std::vector<std::string> columns;
  for (const Json& row : rows) {
    for (const auto& [key, value] : row.items())
      if (std::find(columns.begin(), columns.end(), key) == columns.end()) columns.push_back(key);
  }
  std::vector<std::vector<std::string>> cells = {columns};
  std::vector<bool> numeric(columns.size(), true);
  for (const Json& row : rows) {
    std::vector<std::string> line;
    for (size_t c = 0; c < columns.size(); ++c) {
      const auto value = row.find(columns[c]);
      line.push_back(value == row.end() ? "" : scalar(*value));
      if (value != row.end() && !value->is_number() && !value->is_null()) numeric[c] = false;
    }
    cells.push_back(std::move(line));
  }
  std::vector<size_t> width(columns.size(), 0);
  for (const auto& line : cells)
    for (size_t c = 0; c < line.size(); ++c) width[c] = std::max(width[c], width_of(line[c]));
  std::string text;
  for (const auto& line : cells) {
    std::string row;
    for (size_t c = 0; c < line.size(); ++c) {
      const std::string space(width[c] - width_of(line[c]), ' ');
      row += (c ? "  " : "") + (numeric[c] ? space + line[c] : line[c] + space);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  }
  return text;
}

// Lines of single values; tables are gathered, to stand below them.
void object(const Json& value, const std::string& prefix, std::string& lines, std::string& tables) {
  for (const auto& [key, member] : value.items()) {
    const std::string name = prefix + one_line(key);
    if (member.is_object() && !member.empty())
      object(member, name + '.', lines, tables);
    else if (is_table(member))
      tables += '\n' + name + ":\n" + table(member);
    else
      lines += name + ": " + scalar(member) + '\n';
  }
}

}  // namespace

std::string readable(const Json& result) {
  if (is_table(result)) return table(result);
  if (!result.is_object()) return scalar(result) + '\n';
  std::string lines, tables;
  object(result, "", lines, tables);
  return lines.empty() && !tables.empty() ? tables.substr(1) : lines + tables;
}

}  // namespace zoo::apps
