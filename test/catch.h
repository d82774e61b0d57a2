// Catch2, version 2 or 3 alike.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
inline auto Contains(const std::string& text) { return ContainsSubstring(text); }
#else
#include <catch2/catch.hpp>
using Catch::Detail::Approx;
using Catch::Matchers::Contains;
#endif
