// The figures that drawn sets are made of.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace zoo::data {

enum class Figure { disc, square, triangle, cross, ring };
inline constexpr std::array<const char*, 5> kFigureNames{"disc", "square", "triangle", "cross", "ring"};

// u8 [size, size], 1 inside. Centre and radius as fractions of the side; the figure's farthest points lie about a radius off.
std::vector<uint8_t> figure_mask(Figure figure, int64_t size, float centre_y, float centre_x, float radius);

}  // namespace zoo::data
