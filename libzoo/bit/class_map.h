// Data whose classes are not those of the network: a file says which outputs mean which class (ObjectNet, ImageNet-R, …).
//
//   {"Alarm clock": [409, 530], "Backpack": ["backpack"]}      outputs by number, or by the checkpoint's class names
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace zoo::bit {

struct ClassMap {
  at::Tensor class_of_output;   // int64 [outputs]: a class of the data, or -1
  std::vector<bool> is_mapped;  // [classes of the data]: whether any output means it

  // int64 [n]: labels of the data, -1 in place of those without an output.
  at::Tensor labels(const at::Tensor& labels) const;
};

// JSON, an object from the data's class names to lists. Throws UserError naming file and class: a class that the data has not,
// an output that the network has not, an output given twice, a map without any.
ClassMap read_class_map(const std::filesystem::path& file, const std::vector<std::string>& data_classes,
                        const std::vector<std::string>& network_classes, int64_t outputs);

}  // namespace zoo::bit
