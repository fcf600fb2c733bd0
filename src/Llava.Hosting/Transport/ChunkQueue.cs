using System.Text;

namespace Llava.Hosting.Transport;

/// <summary>
/// The queues of a model's chunks, a pair per model, since a consumer serves only those it has loaded: the first chunks of every
/// job go by the express queue, so that a small job is through before a large one has made room for it.
/// </summary>
public static class ChunkQueue
{
    /// <summary>Chunks of a job that go by the express queue: enough for a job of a hundred items.</summary>
    public const int ExpressChunks = 4;

    /// <summary>Name of the queue: letters, digits, dots and dashes of the model's name, the rest as hexadecimal.</summary>
    public static string NameFor(string model, bool express = false)
    {
        StringBuilder name = new(express ? "llava.express." : "llava.chunks.");
        foreach (var letter in model)
        {
            if (char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-')
            {
                name.Append(letter);
            }
            else
            {
                name.Append('_').Append(((int)letter).ToString("x2", null));
            }
        }

        return name.ToString();
    }

    /// <summary>Address to send to: the exchange, because a sender must not declare the queue with settings of its own.</summary>
    public static Uri AddressFor(string model, bool express = false) => new($"exchange:{NameFor(model, express)}");
}
