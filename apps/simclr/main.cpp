// zoo-simclr: contrastive learning of features, without labels. Pre-train, evaluate, fine-tune, distil, and a demo.
#include "apps/common/program.h"
#include <libzoo/core/error.h>
#include <libzoo/data/picture_files.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/demo.h>
#include <libzoo/simclr/distill.h>
#include <libzoo/simclr/features.h>
#include <libzoo/simclr/finetune.h>
#include <libzoo/simclr/linear_eval.h>
#include <libzoo/simclr/pretrain.h>
#include <libzoo/train/device.h>

namespace {

using namespace zoo;

struct ConvertOptions {
  simclr::Naming names = simclr::Naming::ours;
  std::optional<int64_t> selector;
  std::vector<std::string> classes;
};

template <class Field>
void fields(Field& field, ConvertOptions& o) {
  field("names", o.names, "ours, or those of the official TensorFlow files");
  field("selector", o.selector,
        "layers of the projection head below the classifier, which official files don't tell: 1 for those fine-tuned with 1 or 10 % of the "
        "labels");
  field("classes", o.classes, "names in the order of the classifier's outputs");
}

Json convert_file(const ConvertOptions& o, const apps::Context& context) {
  simclr::convert(context.arguments.at(0), context.arguments.at(1), {.names = o.names, .selector = o.selector, .classes = o.classes});
  return nullptr;
}

Json features_of_files(const simclr::FeaturesOptions& options, const apps::Context& context) {
  if (context.arguments.empty())
    throw UserError("no pictures given", "zoo-simclr features --checkpoint model.safetensors photo.jpg folder/ list.txt");
  return simclr::write_features(options, data::list_pictures({context.arguments.begin(), context.arguments.end()}),
                                train::resolve_device(context.device));
}

Json nearest_neighbours(const simclr::NeighboursOptions& options, const apps::Context& context) {
  return simclr::neighbours(options, train::resolve_device(context.device));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace zoo::apps;
  // Of `data`, what changes nothing of what the network sees.
  const std::vector<std::string> may_change = {"data.workers",       "data.prefetch",    "data.rate_limit", "data.cache",
                                               "data.max_bad_items", "checkpoint_every", "evaluate_every"};
  const std::vector<FlagKey> checkpoint = {{"--checkpoint", "checkpoint"}};
  auto checkpoints = [](const auto& options, train::RunOptions& run) { run.checkpoint_every = options.checkpoint_every; };
  return main_program(
      "zoo-simclr", "SimCLR: contrastive learning of features, without labels.",
      {run_verb<simclr::PretrainOptions>("pretrain", "an encoder from pictures without labels", simclr::pretrain,
                                         {.run_options = checkpoints, .may_change = may_change, .ranks = true}),
       run_verb<simclr::LinearEvalOptions>("linear-eval", "a linear classifier on an encoder's features, at several rates",
                                           simclr::linear_eval, {.flags = checkpoint}),
       plain_verb<simclr::NeighboursOptions>("knn", "nearest neighbours and a ridge regression on an encoder's features",
                                             nearest_neighbours, {.flags = checkpoint}),
       run_verb<simclr::FinetuneOptions>("finetune", "a pre-trained network with few or all labels, or the supervised baseline",
                                         simclr::finetune,
                                         {.run_options = checkpoints, .may_change = may_change, .flags = checkpoint, .ranks = true}),
       run_verb<simclr::DistillOptions>("distill", "a network that learns another one's opinion, without labels", simclr::distill,
                                        {.run_options = checkpoints, .may_change = may_change, .ranks = true}),
       plain_verb<simclr::FeaturesOptions>("features", "an encoder's features of pictures, to a file", features_of_files,
                                           {.arguments = "IMAGE…", .flags = checkpoint}),
       plain_verb<ConvertOptions>("convert", "released TensorFlow checkpoints and PyTorch files to ours, and back", convert_file,
                                  {.arguments = "IN OUT"}),
       run_verb<simclr::DemoOptions>(
           "demo", "pre-training on drawn textures, and what the features are worth on them and on real digits", simclr::demo,
           {.recipe = "simclr/demo",
            .run_options = [](const simclr::DemoOptions& o, train::RunOptions& run) { run.checkpoint_every = o.pretrain.checkpoint_every; },
            .ranks = true})},
      argc, argv);
}
