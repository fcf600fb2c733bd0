namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>Consecutive rows of a pass that continue one sequence.</summary>
/// <param name="FirstRow">First row of the pass.</param>
/// <param name="Count">Rows.</param>
/// <param name="ExtentStart">Where the sequence's extent starts in the arena.</param>
/// <param name="FirstPosition">Position of the first row in the sequence.</param>
/// <param name="Longest">The sequence's length where dynamic RoPE scaling looks at it; otherwise 0.</param>
internal readonly record struct DecoderSpan(int FirstRow, int Count, int ExtentStart, int FirstPosition, int Longest);

/// <summary>The rows of one pass. Reused from pass to pass.</summary>
internal sealed class DecoderBatch
{
    /// <summary>The sequences' parts, in the order of their rows. Parts of one sequence are in the order of their positions.</summary>
    public List<DecoderSpan> Spans { get; } = [];

    /// <summary>Rows of the pass.</summary>
    public int Rows { get; private set; }

    /// <summary>Takes rows; returns the first.</summary>
    public int Add(int count, int extentStart, int firstPosition, int longest)
    {
        var first = Rows;
        Spans.Add(new DecoderSpan(first, count, extentStart, firstPosition, longest));
        Rows += count;
        return first;
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        Spans.Clear();
        Rows = 0;
    }
}
