using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

/// <summary>Keeps what a run reports, and may do something at each step.</summary>
internal sealed class RecordingObserver(Action<TrainingProgress>? atStep = null) : ITrainingObserver
{
    public List<TrainingPlan> Plans { get; } = [];

    public List<TrainingProgress> Steps { get; } = [];

    public List<string> Checkpoints { get; } = [];

    public void OnStarted(TrainingPlan plan) => Plans.Add(plan);

    public void OnStep(TrainingProgress progress)
    {
        Steps.Add(progress);
        atStep?.Invoke(progress);
    }

    public void OnCheckpoint(string folder) => Checkpoints.Add(folder);
}
