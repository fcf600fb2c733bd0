namespace Llava.ModelCore.Kernels.Attention;

/// <summary>Queries of one sequence that attend to one key-value head: for each row all query heads of the group.</summary>
/// <param name="Layer">Layer.</param>
/// <param name="Head">Key-value head.</param>
/// <param name="Group">Query heads that share it.</param>
/// <param name="ExtentStart">Where the sequence lies in the arena.</param>
/// <param name="FirstPosition">Position of row 0 in the sequence.</param>
/// <param name="Queries">Row 0 is the sequence's first row of the pass; starts at the group's first query head.</param>
/// <param name="Output">Like the queries.</param>
/// <param name="First">First query: row · group + query head of the group.</param>
/// <param name="Count">Queries.</param>
internal readonly record struct AttentionTask(
    int Layer, int Head, int Group, int ExtentStart, int FirstPosition, Rows Queries, Rows Output, int First, int Count)
{
    /// <summary>Positions that a query sees, its own included.</summary>
    public int Visible(int query) => FirstPosition + (query / Group) + 1;

    /// <summary>A query's numbers.</summary>
    public unsafe float* QueryAt(int query, int size) => Queries.At(query / Group) + (query % Group * size);

    /// <summary>Where its result goes.</summary>
    public unsafe float* OutputAt(int query, int size) => Output.At(query / Group) + (query % Group * size);
}
