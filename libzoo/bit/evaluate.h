// `zoo-bit evaluate`: the accuracy of a checkpoint on a labelled set, whose classes may be others than the network's.
#pragma once

#include <libzoo/bit/predict_options.h>
#include <libzoo/core/json.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/bit/predict.h>

#include <c10/core/Device.h>

namespace zoo::bit {

// What test_metrics.h measures over the whole of options.test; with a class map {top1, top5, restricted top1, restricted top5,
// images, left out}: restricted to the outputs that the map names (protocols.h). Throws UserError if the class counts differ and
// there is no map.
Json evaluate(const EvaluateOptions& options, const at::Device& device);

// Throws UserError unless the set has as many classes as the network.
void require_classes(const Predictor& predictor, const data::ImageDataset& test, const std::filesystem::path& checkpoint);

}  // namespace zoo::bit
