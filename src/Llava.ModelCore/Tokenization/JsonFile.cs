using System.Text.Json;

namespace Llava.ModelCore.Tokenization;

/// <summary>Reads the JSON files of a tokenizer with an error that names the file.</summary>
internal static class JsonFile
{
    public static JsonElement Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"Cannot read '{path}': {exception.Message} Download the file again.", exception);
        }
    }

    /// <summary>The file's content, or an empty object where there is no file.</summary>
    public static JsonElement ReadIfPresent(string path) => File.Exists(path) ? Read(path) : JsonElement.Parse("{}"u8);
}
