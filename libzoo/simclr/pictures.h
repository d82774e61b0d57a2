// What a person looks at: the views that training contrasts, and which pictures the features hold for alike.
#pragma once

#include <libzoo/data/image_dataset.h>
#include <libzoo/io/image.h>
#include <libzoo/simclr/views.h>

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::simclr {

// Rows of a picture and two views of it, as many as `pictures`, spread over the set.
io::Image view_sheet(const data::ImageDataset& dataset, const ViewOptions& options, int64_t pictures, uint64_t seed);

// Rows of a picture and its `neighbours` nearest others by the cosine of features [size, width], with the class of each below it.
// Queries are spread over the set.
io::Image neighbour_sheet(const data::ImageDataset& dataset, const at::Tensor& features, int64_t queries, int64_t neighbours);

}  // namespace zoo::simclr
