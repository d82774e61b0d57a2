#include <libzoo/bit/demo.h>
#include <libzoo/bit/few_shot_sweep.h>
#include <libzoo/bit/inputs.h>
#include <libzoo/bit/pretrain.h>

namespace zoo::bit {

Json demo(const DemoOptions& o, train::Run& run) {
  const auto train_set = data::open_dataset(o.train), test_set = data::open_dataset(o.test);
  data::require_same_classes(*train_set, *test_set);
  Json upstream, table = Json::array();
  auto pretrained = pretrain_network(o.pretrain, run, upstream);
  for (int64_t shots : o.examples_per_class) {
    io::Image sheet;
    table.push_back(few_shot_row(pretrained, train_set, test_set, shots, o, run, &sheet));
    if (run.interrupted()) return nullptr;
    run.save_image("predictions", sheet);
  }
  return {{"top-1 %", table},
          {"checkpoint", (run.directory() / "model.safetensors").string()},
          {"picture", (run.directory() / "samples" / "predictions.png").string()}};
}

}  // namespace zoo::bit
