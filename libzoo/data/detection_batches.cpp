#include <libzoo/data/detection_batches.h>

#include <libzoo/core/random.h>
#include <libzoo/data/map.h>
#include <libzoo/data/sources.h>
#include <libzoo/data/stages.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>

namespace zoo::data {
namespace {

struct Sample {
  at::Tensor image = {};  // [size, size, 3]
  std::vector<LabelledBox> boxes = {};
  Placement placement = {};
  int64_t index = 0;
};

struct Load {
  DetectionPointer dataset;
  DetectionTransform transform;
  Normalizer normalize;
  bool augment;
  uint64_t seed;

  Sample operator()(const Ticket& ticket) const {
    static thread_local Picture picture;  // keeps its memory
    dataset->read(ticket.index, picture);
    try {
      RandomStream random({.seed = seed, .epoch = uint32_t(ticket.epoch), .id = uint32_t(ticket.index), .purpose = Purpose::augmentation});
      Sample sample{.placement = augment ? transform.draw(picture.size(), random) : transform.place(picture.size()), .index = ticket.index};
      sample.boxes = sample.placement.objects(dataset->boxes(ticket.index));
      sample.image = at::empty({transform.size, transform.size, 3}, at::kFloat);
      transform.apply(picture, sample.placement, normalize, sample.image.mutable_data_ptr<float>());
      return sample;
    } catch (const Error& error) {
      const std::string name = dataset->item_name(ticket.index), what = error.what();
      throw UserError(what.find(name) == std::string::npos ? fmt::format("{}: {}", name, what) : what, error.hint());
    }
  }
};

DetectionBatch collate(std::vector<Sample> samples) {
  DetectionBatch batch;
  std::vector<at::Tensor> images;
  for (Sample& sample : samples) {
    images.push_back(std::move(sample.image));
    batch.boxes.push_back(std::move(sample.boxes));
    batch.placements.push_back(sample.placement);
    batch.indices.push_back(sample.index);
  }
  batch.images = at::stack(images).permute({0, 3, 1, 2});
  return batch;
}

void check(const DetectionDataset& dataset, const DetectionTransform& t, const DetectionBatchOptions& o) {
  if (dataset.size() == 0) throw UserError(fmt::format("{} has no pictures to make batches of", dataset.describe()));
  if (o.batch_size < 1) throw UserError(fmt::format("batch_size must be at least 1, got {}", o.batch_size));
  if (t.size < 1 || t.size > 65536) throw UserError(fmt::format("a canvas of {} pixels is not 1 to 65536", t.size));
  if (!(t.least_scale > 0) || !(t.most_scale >= t.least_scale) || !(t.most_scale <= 100))
    throw UserError(fmt::format("scales from {} to {} are not above 0, rising, and 100 at most", t.least_scale, t.most_scale));
}

}  // namespace

Stream<DetectionBatch> detection_batches(DetectionPointer dataset, const DetectionTransform& t, const DetectionBatchOptions& o) {
  check(*dataset, t, o);
  IndicesOptions order{.seed = o.seed, .shuffle = o.training};
  if (!o.training) order.epochs = 1;
  // Work begun ahead: as many batches as asked for, and what keeps the threads busy.
  const int64_t ahead = std::max(o.batch_size * o.read.prefetch, 2 * o.read.workers);
  MapOptions work{.workers = int(o.read.workers),
                  .window = o.read.workers > 0 ? int(std::min<int64_t>(ahead, 1 << 20)) : 1,
                  .bad_items = {o.read.on_bad_item, o.read.max_bad_items},
                  .name = fmt::format("{} to {}x{}, seed={}", dataset->describe(), t.size, t.size, o.seed)};
  auto samples = indices(dataset->size(), order) | map(Load{dataset, t, Normalizer(t.mean, t.std), o.training, o.seed}, std::move(work));
  return std::move(samples) | batch(o.batch_size) | map(collate, {.name = "collate"});
}

}  // namespace zoo::data
