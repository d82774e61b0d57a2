// The part of Python's pickle format that torch.save writes for tensors and plain values. A pickle is a program for a
// stack machine; this one knows a closed list of opcodes and of names (see pickle.cpp) and refuses all others, so
// that reading a file can never run code.
//
// Values live in one arena and refer to each other by index: shared and even cyclic structures are harmless, and
// nothing is destroyed by recursion.
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/memory_budget.h>

#include <string>
#include <string_view>
#include <vector>

namespace zoo::io::pickle {

using Ref = uint32_t;  // index into Values::nodes

enum class Kind : uint8_t {
  none,
  boolean,
  integer,
  unsigned_integer,
  big_integer,
  real,
  text,
  tuple,
  list,
  dict,
  global,
  dtype,
  storage,
  tensor
};

struct Node {
  Kind kind = Kind::none;
  union {
    int64_t integer = 0;  // boolean, integer, unsigned_integer (same bits), dtype (DType); storage, tensor: index
    double real;
    uint64_t children;    // tuple, list, dict: index into Values::children
  };
  std::string_view text;  // text, global ("module name"), big_integer (little-endian bytes); in the pickle's bytes
};

struct Storage {
  std::string_view key;  // the member data/<key>
  DType dtype = DType::f32;
  bool untyped = false;  // counted in bytes; the tensor names the type
  int64_t items = 0;
};

struct Tensor {
  Ref storage = 0;  // a node
  DType dtype = DType::f32;
  int64_t offset = 0;  // items
  std::vector<int64_t> shape, strides;
};

struct Values {
  std::vector<Node> nodes;
  std::vector<std::vector<Ref>> children;  // of a dict: key, value, key, value …
  std::vector<Storage> storages;
  std::vector<Tensor> tensors;
  Ref root = 0;

  const std::vector<Ref>& children_of(const Node& node) const { return children[node.children]; }
};

// `bytes` must outlive the values. Throws UserError.
Values parse(std::span<const uint8_t> bytes, const std::string& where, MemoryBudget& budget);

}  // namespace zoo::io::pickle
