// zoo docs: the reference page of all options of all programs, generated from their descriptions.
#include "apps/echo/learning_curve_options.h"
#include "apps/offline_rl/compare_options.h"
#include "apps/zoo/verbs.h"
#include <libzoo/bit/demo_options.h>
#include <libzoo/bit/distill_options.h>
#include <libzoo/bit/finetune_options.h>
#include <libzoo/bit/few_shot_options.h>
#include <libzoo/bit/predict_options.h>
#include <libzoo/bit/vtab_options.h>
#include <libzoo/offline_rl/log_options.h>
#include <libzoo/offline_rl/train_options.h>
#include <libzoo/simclr/demo_options.h>
#include <libzoo/simclr/distill_options.h>
#include <libzoo/simclr/finetune_options.h>
#include <libzoo/simclr/linear_eval_options.h>

#include <cstdio>
#include <string>

namespace zoo::apps {
namespace {

template <class Options>
void print(const std::string& program, const std::string& what) {
  std::printf("## %s\n\n%s\n\n%s\n", program.c_str(), what.c_str(), options_markdown<Options>().c_str());
}

}  // namespace

Json print_docs(const DocsOptions&, const Context&) {
  std::puts("# Options\n\nMade by `zoo docs`. Keys are dotted paths, in YAML or on the command line as `key=value`.\n");
  print<bit::PretrainOptions>("zoo-bit pretrain", "A network from scratch on labelled images.");
  print<bit::FinetuneOptions>("zoo-bit finetune", "A pretrained network on a new data set, by BiT-HyperRule.");
  print<bit::FewShotOptions>("zoo-bit fewshot", "A pretrained network on a few examples per class, over several draws.");
  print<bit::ProbeOptions>("zoo-bit probe", "A linear probe on the features of a network, over several draws.");
  print<bit::DistillOptions>("zoo-bit distill", "A network from scratch that learns another one's opinion.");
  print<bit::VtabOptions>("zoo-bit vtab", "VTAB-1k over the data sets that are at hand.");
  print<bit::EvaluateOptions>("zoo-bit evaluate", "Accuracy of a checkpoint on labelled images.");
  print<bit::ReportOptions>("zoo-bit report", "Accuracy of each class, confusion matrix and worst mistakes.");
  print<bit::PredictOptions>("zoo-bit predict", "Classes and probabilities of pictures.");
  print<bit::DemoOptions>("zoo-bit demo", "Pre-training and few-shot transfer, compared with training from scratch.");
  print<simclr::PretrainOptions>("zoo-simclr pretrain", "An encoder from pictures without labels.");
  print<simclr::LinearEvalOptions>("zoo-simclr linear-eval", "A linear classifier on an encoder's features, at several rates.");
  print<simclr::NeighboursOptions>("zoo-simclr knn", "Nearest neighbours and a ridge regression on an encoder's features.");
  print<simclr::FinetuneOptions>("zoo-simclr finetune", "A pre-trained network with few or all labels, or the supervised baseline.");
  print<simclr::DistillOptions>("zoo-simclr distill", "A network that learns another one's opinion, without labels.");
  print<simclr::FeaturesOptions>("zoo-simclr features", "An encoder's features of pictures, to a file.");
  print<simclr::DemoOptions>("zoo-simclr demo", "Pre-training on drawn textures, and what the features are worth.");
  print<offline_rl::LogOptions>("zoo-offline-rl log", "Plays, learning or not, and writes it all.");
  print<offline_rl::TrainOptions>("zoo-offline-rl train", "An agent from a log alone.");
  print<CompareOptions>("zoo-offline-rl compare", "Agents and seeds over one log.");
  print<LearningCurveOptions>("zoo-echo learning_curve", "Fresh items to a target accuracy, for each way to echo.");
  return nullptr;
}

}  // namespace zoo::apps
