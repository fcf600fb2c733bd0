namespace Llava.GpuConsumer.Training.Rows;

/// <summary>A row that cannot be learned from.</summary>
/// <param name="code">Short snake_case word.</param>
/// <param name="message">What is wrong with the row, as the end of a sentence that names it.</param>
/// <param name="isSkippable">Whether the run may go on without it: true for what its sender cannot see in the file.</param>
public sealed class RowException(string code, string message, bool isSkippable = false) : Exception(message)
{
    /// <summary>Short snake_case word.</summary>
    public string Code { get; } = code;

    /// <summary>Whether the run may go on without the row.</summary>
    public bool IsSkippable { get; } = isSkippable;
}
