// Arrays made from bytes of a file: a view where the bytes can be used as they lie, else a copy.
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/memory_budget.h>

namespace zoo::io {

// `bytes` hold exactly count(shape) items in row-major order. A view that shares `owner` if there is one and the bytes are
// aligned for the type and little-endian; else a copy, paid from `budget`. Truth values other than 0 become 1.
Array make_array(DType type, std::vector<int64_t> shape, std::span<const uint8_t> bytes, const std::shared_ptr<const void>& owner,
                 MemoryBudget& budget, bool big_endian = false);

// The same for items that lie strides[axis] items apart. The caller has checked that `bytes`, which begin with the item at
// index 0, hold the last item. strides >= 0.
Array make_strided_array(DType type, std::vector<int64_t> shape, const std::vector<int64_t>& strides, std::span<const uint8_t> bytes,
                         const std::shared_ptr<const void>& owner, MemoryBudget& budget, bool big_endian = false);

}  // namespace zoo::io
