namespace Llava.ModelCore.Training.Parallel;

/// <summary>A process of a run is gone or silent, so that the others cannot go on.</summary>
/// <param name="rank">The process that was lost.</param>
/// <param name="how">What was seen of it.</param>
/// <param name="inner">What the system said.</param>
public sealed class RankLostException(int rank, string how, Exception? inner = null)
    : TrainingException($"Process {rank} of the training run {how}. The same command continues from the last training checkpoint.", inner)
{
    /// <summary>The process that was lost.</summary>
    public int Rank { get; } = rank;
}
