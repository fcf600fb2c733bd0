namespace Llava.ModelCore.Training.Parallel;

/// <summary>A process of a run is gone or silent, so that the others cannot go on.</summary>
/// <param name="rank">The process that was lost.</param>
/// <param name="how">What was seen of it.</param>
/// <param name="inner">What the system said.</param>
/// <param name="lastWords">What that process said itself, on lines of its own.</param>
public sealed class RankLostException(int rank, string how, Exception? inner = null, string lastWords = "")
    : TrainingException($"Process {rank} of the training run {how}. Started again, it continues from its last training checkpoint.{lastWords}", inner)
{
    private readonly string _how = how;

    /// <summary>The process that was lost.</summary>
    public int Rank { get; } = rank;

    /// <summary>The same, with what the process said itself.</summary>
    public RankLostException Saying(string lastWords) => new(Rank, _how, this, lastWords);
}
