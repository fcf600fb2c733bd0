namespace Llava.ModelCore.Engine;

/// <summary>Consecutive positions of one sequence to be computed in a step.</summary>
/// <param name="Sequence">Whose.</param>
/// <param name="FirstPosition">Position of the first.</param>
/// <param name="Count">How many; 1 when decoding.</param>
/// <param name="Samples">Whether the last position's logits choose a token.</param>
internal readonly record struct StepWork(Sequence Sequence, int FirstPosition, int Count, bool Samples);

/// <summary>Keys and values of a shared prefix to be copied into a sequence's extent.</summary>
/// <param name="Sequence">Who gets them.</param>
/// <param name="Source">First arena position of the prefix.</param>
/// <param name="Target">First arena position of the sequence.</param>
/// <param name="Count">Positions.</param>
internal readonly record struct PrefixCopy(Sequence Sequence, int Source, int Target, int Count);

/// <summary>What one step does: copies first, then prefills in order, then decodes. Reused from step to step.</summary>
internal sealed class StepPlan
{
    public List<PrefixCopy> Copies { get; } = [];

    public List<StepWork> Prefills { get; } = [];

    public List<StepWork> Decodes { get; } = [];

    public bool IsEmpty => Copies.Count + Prefills.Count + Decodes.Count == 0;

    /// <summary>Tokens that go through the model.</summary>
    public int TokenCount => Prefills.Sum(work => work.Count) + Decodes.Count;

    public void Clear()
    {
        Copies.Clear();
        Prefills.Clear();
        Decodes.Clear();
    }
}
