using System.Text;

namespace Llava.Hosting.Transport;

/// <summary>The queue of a model's chunks: one per model, since a consumer serves only those it has loaded.</summary>
public static class ChunkQueue
{
    /// <summary>Name of the queue: letters, digits, dots and dashes of the model's name, the rest as hexadecimal.</summary>
    public static string NameFor(string model)
    {
        StringBuilder name = new("llava.chunks.");
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
    public static Uri AddressFor(string model) => new($"exchange:{NameFor(model)}");
}
