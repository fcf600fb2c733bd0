namespace Llava.GpuConsumer.Training.Rows;

/// <summary>A row that cannot be learned from.</summary>
/// <param name="code">Short snake_case word.</param>
/// <param name="message">What is wrong with the row, as the end of a sentence that names it.</param>
/// <param name="isSkippable">Whether the run may go on without it: true for what its sender cannot see in the file.</param>
internal sealed class RowException(string code, string message, bool isSkippable = false) : Exception(message)
{
    public string Code { get; } = code;

    public bool IsSkippable { get; } = isSkippable;
}
