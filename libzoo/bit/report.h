// `zoo-bit report`: where a classifier is wrong, class by class and picture by picture.
#pragma once

#include <libzoo/bit/predict_options.h>
#include <libzoo/core/json.h>
#include <libzoo/io/image.h>

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace zoo::bit {

// int64 [classes, classes]: row the true class, column what the network says. A row a class, worst first: {class, images, top1,
// taken for: the most frequent wrong class, or none}. Classes without pictures come last, without top1.
Json class_table(const at::Tensor& confusion, const std::vector<std::string>& names);

// A square for each pair of classes, the darker the larger its share of its row; green on the diagonal, red off it. Names beside
// the rows where they are legible (48 classes at most). Throws Error for more than 4096 classes.
io::Image confusion_picture(const at::Tensor& confusion, const std::vector<std::string>& names);

// Writes classes.json (all of class_table), confusion.png and mistakes.png (the most confident mistakes, with what was said, how
// surely, and the truth) to options.folder. Returns {loss, top1, top5, images, worst classes: ten rows, folder}.
Json report(const ReportOptions& options, const at::Device& device);

}  // namespace zoo::bit
