using System.Buffers;
using System.Runtime.CompilerServices;

namespace Llava.Ledger.Files;

/// <summary>Reads a stream a buffer at a time and stops at a limit, however long its sender said it would be.</summary>
internal static class LimitedCopy
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>The bytes; each piece is good until the next is asked for.</summary>
    /// <exception cref="FileRefusedException">There are more than <paramref name="maxBytes"/> in the request's <paramref name="field"/>.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(Stream content, long maxBytes, string field, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (var left = maxBytes; await content.ReadAsync(buffer, cancellation) is > 0 and var read;)
            {
                left -= read;
                if (left < 0)
                {
                    throw new FileRefusedException(FileRefusedException.TooLarge, $"'{field}' is longer than the {maxBytes} bytes that are taken; split it, or raise the limit (docs/openai.md).", field);
                }

                yield return buffer.AsMemory(0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
