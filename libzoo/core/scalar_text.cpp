#include <libzoo/core/scalar_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace zoo {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <class T>
Parsed integer(std::string_view text, T& value) {
  std::string_view digits = text;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) digits.remove_prefix(1);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), digit)) return Parsed::malformed;
  if (text[0] == '+') text.remove_prefix(1);
  if (!std::is_signed_v<T> && text[0] == '-') {
    value = 0;
    return digits.find_first_not_of('0') == std::string_view::npos ? Parsed::ok : Parsed::too_large;
  }
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc() ? Parsed::ok : Parsed::too_large;
}

// [-+]? ( digits ( . digits? )? | . digits ) ( [eE] [-+]? digits )?
bool well_formed_number(std::string_view t) {
  size_t i = 0, whole = 0, fraction = 0;
  if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
  while (i < t.size() && digit(t[i])) ++i, ++whole;
  if (i < t.size() && t[i] == '.') {
    ++i;
    while (i < t.size() && digit(t[i])) ++i, ++fraction;
  }
  if (whole + fraction == 0) return false;
  if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
    ++i;
    if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
    const size_t start = i;
    while (i < t.size() && digit(t[i])) ++i;
    if (i == start) return false;
  }
  return i == t.size();
}

template <class T>
std::string shortest(T value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::array<char, 64> buffer;
  std::string text(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Length of the UTF-8 sequence at the start of `t`, its code point in `code`; 0 if it is not valid.
size_t sequence(std::string_view t, uint32_t& code) {
  const auto byte = [&](size_t i) { return uint32_t(static_cast<unsigned char>(t[i])); };
  const uint32_t first = byte(0);
  if (first < 0x80) {
    code = first;
    return 1;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || t.size() < length) return 0;
  code = first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  return code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : length;
}

// Controls, separators and marks that a reader or terminal might act on become escapes known to YAML.
std::string escaped(std::string_view text, bool quotes) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    uint32_t code = 0;
    const size_t length = sequence(text.substr(i), code);
    if (length == 0) {
      result += fmt::format("\\x{:02X}", static_cast<unsigned char>(text[i]));
      ++i;
      continue;
    }
    if (code == '\n')
      result += "\\n";
    else if (code == '\t')
      result += "\\t";
    else if (code == '\r')
      result += "\\r";
    else if (quotes && (code == '"' || code == '\\')) {
      result += '\\';
      result += char(code);
    } else if (code < 0x20 || code == 0x7F)
      result += fmt::format("\\x{:02X}", code);
    else if ((code >= 0x80 && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF)
      result += fmt::format("\\u{:04X}", code);
    else
      result += text.substr(i, length);
    i += length;
  }
  return result;
}

bool plain_is_safe(std::string_view text) {
  if (text.empty() || !(letter(text[0]) || text[0] == '_' || text[0] == '/' || (text[0] == '.' && text.size() > 1 && text[1] == '/')))
    return false;
  if (!std::all_of(text.begin(), text.end(),
                   [](char c) { return letter(c) || digit(c) || std::string_view("_./+-@").find(c) != std::string_view::npos; }))
    return false;
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  // Read as something else by YAML 1.1 or 1.2 readers.
  for (const char* word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan"})
    if (lower == word) return false;
  return true;
}

}  // namespace

Parsed parse_integer(std::string_view text, int64_t& value) { return integer(text, value); }
Parsed parse_integer(std::string_view text, uint64_t& value) { return integer(text, value); }

template <class T>
Parsed parse_number(std::string_view text, T& value) {
  std::string_view word = text;
  const bool negative = !word.empty() && word[0] == '-';
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  for (const char* name : {".inf", ".Inf", ".INF", "inf"}) {
    if (word == name) {
      value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
      return Parsed::ok;
    }
  }
  for (const char* name : {".nan", ".NaN", ".NAN", "nan"}) {
    if (text == name) {
      value = std::numeric_limits<T>::quiet_NaN();
      return Parsed::ok;
    }
  }
  if (!well_formed_number(text)) return Parsed::malformed;
  if (text[0] == '+') text.remove_prefix(1);
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc() ? Parsed::ok : Parsed::too_large;
}
template Parsed parse_number(std::string_view, float&);
template Parsed parse_number(std::string_view, double&);

std::string number_text(double value) { return shortest(value); }
std::string number_text(float value) { return shortest(value); }

std::string yaml_text(std::string_view text) { return plain_is_safe(text) ? std::string(text) : '"' + escaped(text, true) + '"'; }

std::string shown(std::string_view text) {
  constexpr size_t most = 60;
  if (text.size() <= most) return '\'' + escaped(text, false) + '\'';
  size_t cut = most;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return '\'' + escaped(text.substr(0, cut), false) + "…'";
}

std::string one_line(std::string_view text) { return escaped(text, false); }

size_t invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    uint32_t code = 0;
    const size_t length = sequence(text.substr(i), code);
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace zoo
