using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Llava.ModelCore.Checkpoints.HuggingFace;

/// <summary>The two tokens that llava-hf's tokenizers have behind the words: one for images, one for padding (spec 1.12).</summary>
internal static class ImageTokens
{
    private const string Image = "<image>";
    private const string Pad = "<pad>";
    private const string Added = "added_tokens.json";
    private const string Settings = "tokenizer_config.json";
    private const string Roles = "special_tokens_map.json";
    private const string Whole = "tokenizer.json";
    private const string Processor = "processor_class";
    private const int Multiple = 64;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Rows of the tables: the words, both tokens, filled up to a multiple of 64.</summary>
    public static int RowsFor(int words) => (words + 2 + Multiple - 1) / Multiple * Multiple;

    /// <summary>Declares the tokens in the tokenizer's files.</summary>
    public static void Add(string folder, int words)
    {
        Remove(folder, words);
        Change(folder, Added, isNew: true, added =>
        {
            added[Image] = words;
            added[Pad] = words + 1;
        });
        Change(folder, Settings, isNew: true, settings =>
        {
            settings[Processor] = "LlavaProcessor";
            settings["pad_token"] = Pad;
            if (settings["added_tokens_decoder"] is JsonObject decoder)
            {
                decoder[$"{words}"] = Described(Image);
                decoder[$"{words + 1}"] = Described(Pad);
            }
        });
        Change(folder, Roles, isNew: true, roles => roles["pad_token"] = Pad);
        Change(folder, Whole, isNew: false, whole =>
        {
            var tokens = (JsonArray)(whole["added_tokens"] ??= new JsonArray());
            tokens.Add((JsonNode)Described(Image, words));
            tokens.Add((JsonNode)Described(Pad, words + 1));
        });
    }

    /// <summary>Takes away every token behind the words; what was padded with is padded with the unknown token, as the original does.</summary>
    public static void Remove(string folder, int words)
    {
        Change(folder, Added, isNew: false, added => RemoveAll(added, entry => (int)entry.Value! >= words));
        Change(folder, Settings, isNew: false, settings =>
        {
            settings.Remove(Processor);
            WithoutPad(settings);
            if (settings["added_tokens_decoder"] is JsonObject decoder)
            {
                RemoveAll(decoder, entry => int.Parse(entry.Key, null) >= words);
            }
        });
        Change(folder, Roles, isNew: false, WithoutPad);
        Change(folder, Whole, isNew: false, whole => (whole["added_tokens"] as JsonArray)?.RemoveAll(token => (int)token!["id"]! >= words));
        if (File.Exists(Path.Combine(folder, Added)) && JsonNode.Parse(File.ReadAllText(Path.Combine(folder, Added))) is JsonObject { Count: 0 })
        {
            File.Delete(Path.Combine(folder, Added));
        }
    }

    private static void WithoutPad(JsonObject roles)
    {
        if ((roles["pad_token"] is JsonObject described ? described["content"] : roles["pad_token"])?.GetValue<string>() == Pad)
        {
            roles["pad_token"] = roles["unk_token"]?.DeepClone();
        }
    }

    private static void RemoveAll(JsonObject json, Func<KeyValuePair<string, JsonNode?>, bool> isBehind)
    {
        foreach (var (name, _) in json.Where(isBehind).ToList())
        {
            json.Remove(name);
        }
    }

    private static JsonObject Described(string content, int? id = null)
    {
        JsonObject token = new() { ["content"] = content, ["lstrip"] = false, ["normalized"] = false, ["rstrip"] = false, ["single_word"] = false, ["special"] = true };
        if (id is { } known)
        {
            token["id"] = known;
        }

        return token;
    }

    private static void Change(string folder, string file, bool isNew, Action<JsonObject> change)
    {
        var path = Path.Combine(folder, file);
        if (!isNew && !File.Exists(path))
        {
            return;
        }

        var json = File.Exists(path) ? (JsonObject)JsonNode.Parse(File.ReadAllText(path))! : [];
        change(json);
        TensorWriting.WriteWhole(path, stream => JsonSerializer.Serialize(stream, json, Indented));
    }
}
