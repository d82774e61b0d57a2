// Scalars as text: the strict reading of numbers in options, and the writing that reads back identically.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zoo {

enum class Parsed { ok, malformed, too_large };

// Decimal digits with an optional sign; nothing before or after.
Parsed parse_integer(std::string_view text, int64_t& value);
Parsed parse_integer(std::string_view text, uint64_t& value);

// YAML 1.2 numbers: 1, -0.5, .5, 1e-3, .inf, -.inf, .nan (also inf, -inf, nan). `T` is float or double.
template <class T>
Parsed parse_number(std::string_view text, T& value);

// The shortest text that reads back to the same value, recognisable as a floating-point number: 1.0, 1e-05, .inf.
std::string number_text(double value);
std::string number_text(float value);

// A plain YAML scalar where that reads back as the same text, else one in double quotes.
std::string yaml_text(std::string_view text);

// For messages: in quotes, control characters escaped, cut to a readable length; always one line.
std::string shown(std::string_view text);
// The same without quotes or cut.
std::string one_line(std::string_view text);

// Offset of the first byte that is not part of valid UTF-8, or npos.
size_t invalid_utf8(std::string_view text);

}  // namespace zoo
