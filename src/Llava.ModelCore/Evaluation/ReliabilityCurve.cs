namespace Llava.ModelCore.Evaluation;

/// <summary>
/// How often a model is right where it says how sure it is (Guo et al. 2017): answers by their confidence, in bins of equal width.
/// </summary>
public sealed class ReliabilityCurve
{
    private const int BinCount = 10;

    private ReliabilityCurve(IReadOnlyList<ReliabilityBin> bins, int answers) => (Bins, Answers) = (bins, answers);

    /// <summary>The bins that hold answers, from the least sure to the surest.</summary>
    public IReadOnlyList<ReliabilityBin> Bins { get; }

    /// <summary>Answers in all bins.</summary>
    public int Answers { get; }

    /// <summary>Share of right answers.</summary>
    public double Accuracy => Bins.Sum(bin => bin.Accuracy * bin.Answers) / Answers;

    /// <summary>Mean distance between how sure the model is and how often it is right, over all answers: the expected calibration error.</summary>
    public double ExpectedCalibrationError => Bins.Sum(bin => Math.Abs(bin.Accuracy - bin.Confidence) * bin.Answers) / Answers;

    /// <summary>The curve of these answers.</summary>
    public static ReliabilityCurve Of(IReadOnlyCollection<(double Confidence, bool IsRight)> answers) => new(
        [.. answers.GroupBy(answer => Math.Clamp((int)(answer.Confidence * BinCount), 0, BinCount - 1)).OrderBy(group => group.Key).Select(group => new ReliabilityBin(
            (double)group.Key / BinCount, (group.Key + 1.0) / BinCount, group.Count(), group.Average(answer => answer.Confidence), group.Average(answer => answer.IsRight ? 1.0 : 0.0)))],
        answers.Count);
}

/// <summary>Answers of about the same confidence.</summary>
/// <param name="From">Least confidence.</param>
/// <param name="To">Confidence of the next bin.</param>
/// <param name="Answers">How many.</param>
/// <param name="Confidence">Their mean confidence.</param>
/// <param name="Accuracy">Share of right ones.</param>
public sealed record ReliabilityBin(double From, double To, int Answers, double Confidence, double Accuracy);
