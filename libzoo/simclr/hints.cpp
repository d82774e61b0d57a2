#include <libzoo/simclr/hints.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::simclr {

std::vector<std::string> hints(const PretrainOptions& o, const data::ImageDataset& train, int64_t ranks) {
  std::vector<std::string> said;
  if (o.batch_size < 128 && o.memory.size == 0)
    said.push_back(
        fmt::format("a batch of {} pictures gives each view {} negatives: small batches want rate=0.075 scaling=sqrt "
                    "loss.temperature=0.2, or a memory",
                    o.batch_size, 2 * o.batch_size - 2));
  if (o.batch_size / ranks < 2) said.push_back("a rank has a single picture of each batch: batch norm costs more than it computes");
  if (o.resolution <= 32 && o.views.blur) said.push_back("pictures of 32 pixels are usually not blurred: views.blur=false");
  if (o.resolution <= 32 && o.views.color_strength > 0.5) said.push_back("small pictures usually get views.color_strength=0.5");
  if (!o.views.crop) said.push_back("without random crops (views.crop) there is little to learn");
  if (o.views.color_strength == 0)
    said.push_back("without colour changes (views.color_strength) views are told apart by their colours alone");
  if (o.optimizer.kind == OptimizerKind::lars && o.warmup_epochs == 0)
    said.push_back("LARS at its full rate from the first step often diverges: warmup_epochs=10");
  const auto size = train.typical_size();
  if (const int64_t side = std::min(size.height, size.width); side > 0 && 2 * side < o.resolution)
    said.push_back(fmt::format("the pictures are {} pixels wide and the network sees {}: set resolution", side, o.resolution));
  return said;
}

}  // namespace zoo::simclr
