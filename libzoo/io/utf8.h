// UTF-8 as RFC 3629 defines it.
#pragma once

#include <string>
#include <string_view>

namespace zoo::io {

// False for overlong forms, surrogates, values above U+10FFFF and cut sequences.
bool is_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t code_point);  // a valid code point

}  // namespace zoo::io
