// `zoo-bit detect`: a pretrained network becomes a detector.
#pragma once

#include <libzoo/bit/detect_options.h>
#include <libzoo/core/json.h>
#include <libzoo/train/run.h>

namespace zoo::bit {

// Leaves model.safetensors, and samples/detections.png if there is a test set, in the run directory. Returns {pictures, steps} and what
// measure_detector() gives; null after a signal.
Json detect(const DetectOptions& options, train::Run& run);

}  // namespace zoo::bit
