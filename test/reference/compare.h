// When an answer counts as right: |got - want| <= atol + rtol |want|, NaN equals NaN, infinities equal by sign, integers
// and booleans exactly, shapes alike except that [] and [1] are the same.
#pragma once

#include <libzoo/core/array.h>

#include <string>
#include <string_view>

namespace zoo::reference {

struct Tolerance {
  double rtol = 0, atol = 0;
  bool integers_within_atol = false;  // decoders and coding tables may differ in the last step
  bool hue_modulo_one = false;        // channel 0 of the last dimension is an angle in turns
  bool set_of_lines = false;          // a text whose lines may come in any order
};

// The case's tolerances with the few special rules that belong to an op's output.
Tolerance tolerance_for(std::string_view op, std::string_view output, double rtol, double atol);

// Empty if `got` is right; else one line: what differs, the worst element and its index, how many are outside.
std::string difference(const Array& got, const Array& want, const Tolerance& tolerance);

}  // namespace zoo::reference
