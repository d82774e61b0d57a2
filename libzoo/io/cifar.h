// CIFAR-10 and CIFAR-100, binary version: records of one label byte (CIFAR-100: coarse, fine) and 3072 bytes, the planes
// R, G, B of 32 x 32 pixels. (www.cs.toronto.edu/~kriz/cifar.html)
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/bytes.h>

#include <string>

namespace zoo::io {

enum class CifarVariant { cifar10, cifar100 };

struct Cifar {
  Array images;         // U8 [records, 3, 32, 32]
  Array labels;         // I64 [records]: 0 to 9, or the fine label, 0 to 99
  Array coarse_labels;  // I64 [records], 0 to 19; only CIFAR-100
};

// Throws UserError if the size is no multiple of a record, or a label is out of range.
Cifar read_cifar(const Bytes& file, CifarVariant variant, const std::string& where);

}  // namespace zoo::io
