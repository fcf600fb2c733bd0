using TorchSharp.Modules;
using static TorchSharp.torch.utils;

namespace Llava.ModelCore.Training;

/// <summary>A run's figures as event files for TensorBoard, under the tags of the original's trainer, and what is said of the run passed on.</summary>
/// <param name="folder">Gets the event files; a run that goes on adds one.</param>
/// <param name="next">Who follows the run too; null for nobody.</param>
internal sealed class TensorBoardLog(string folder, ITrainingObserver? next) : ITrainingObserver
{
    private readonly SummaryWriter _writer = tensorboard.SummaryWriter(folder, createRunName: false);

    public void OnStarted(TrainingPlan plan) => next?.OnStarted(plan);

    public TimeSpan OnStepDue(CancellationToken stopping) => next?.OnStepDue(stopping) ?? TimeSpan.Zero;

    public void OnStep(TrainingProgress progress)
    {
        Write("train/loss", progress.Loss, progress);
        Write("train/accuracy", progress.Accuracy, progress);
        Write("train/learning_rate", progress.LearningRate, progress);
        Write("train/grad_norm", progress.GradientNorm, progress);
        Write("train/tokens_per_second", progress.TokensPerSecond, progress);
        if (progress.Validation is { } measured)
        {
            Write("eval/loss", measured.Loss, progress);
            Write("eval/accuracy", measured.Accuracy, progress);
        }

        next?.OnStep(progress);
    }

    public void OnCheckpoint(string folder) => next?.OnCheckpoint(folder);

    private void Write(string tag, double value, TrainingProgress progress) => _writer.add_scalar(tag, (float)value, progress.Step);
}
