using System.Collections.Concurrent;
using Llava.ModelCore.Scenes;
using Microsoft.ML.Tokenizers;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>
/// The tokenizer of the model that ships, and LLaVA's prompt around a question in its ids. The template is
/// <c>vicuna_v1</c>; every stretch of text around the image and after <c>&lt;/s&gt;</c> is encoded on its own (spec 1.5, 1.6).
/// </summary>
public sealed class SceneTokenizer
{
    /// <summary>Id of <c>&lt;s&gt;</c>.</summary>
    public const int Start = 1;

    /// <summary>Id of <c>&lt;/s&gt;</c>, which ends every answer.</summary>
    public const int End = 2;

    private const string System =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions.";

    private const int TrainingScenes = 4000;

    private readonly LlamaTokenizer _tokenizer;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();

    private SceneTokenizer(byte[] model)
    {
        Model = model;
        using var stream = new MemoryStream(model);
        _tokenizer = LlamaTokenizer.Create(stream, addBeginOfSentence: false, addEndOfSentence: false);
        Prefix = [Start, .. Encode(System + " USER: ")];
    }

    /// <summary>The SentencePiece model file.</summary>
    public byte[] Model { get; }

    /// <summary>Ids in front of the image.</summary>
    public IReadOnlyList<int> Prefix { get; }

    /// <summary>Learns a tokenizer from the scenes' language.</summary>
    /// <param name="vocabularySize">Pieces, special ones included.</param>
    /// <param name="maxObjects">Most objects in a scene.</param>
    /// <exception cref="SceneTrainingException">The language has fewer pieces than that.</exception>
    public static SceneTokenizer Train(int vocabularySize, int maxObjects)
    {
        var texts = Enumerable.Range(0, TrainingScenes).SelectMany(seed => Texts(Scene.FromSeed(seed, maxObjects)));
        var wanted = vocabularySize - SentencePieceModel.SpecialPieces;
        var pieces = BytePairTrainer.Learn(texts, wanted);
        return pieces.Count == wanted
            ? new SceneTokenizer(SentencePieceModel.Write(pieces))
            : throw new SceneTrainingException(
                $"The scenes' language gives {pieces.Count + SentencePieceModel.SpecialPieces} pieces, fewer than the {vocabularySize} asked for; lower vocabularySize.");
    }

    /// <summary>Ids of a question as it follows the image (first turn) or the previous answer, up to the point where the answer begins.</summary>
    public int[] Question(string question, bool isFirst) => Encode(Turn(question, isFirst));

    /// <summary>Ids of an answer, the end token included, as they stand behind <see cref="Question"/>.</summary>
    public int[] Answer(string question, string answer, bool isFirst)
    {
        var whole = Encode($"{Turn(question, isFirst)} {answer}");
        return [.. whole.AsSpan(Encode(Turn(question, isFirst)).Length), End];
    }

    /// <summary>Text of ids, without the space that SentencePiece puts in front.</summary>
    public string Decode(IEnumerable<int> ids) => _tokenizer.Decode(ids, considerSpecialTokens: false)?.TrimStart(' ') ?? "";

    /// <summary>Ids of a text that stands alone: a dummy space in front, no start or end token.</summary>
    public int[] Encode(string text) => _cache.GetOrAdd(text, static (t, tokenizer) => [.. tokenizer.EncodeToIds(t)], _tokenizer);

    private static string Turn(string question, bool isFirst) => isFirst ? $"\n{question} ASSISTANT:" : $"USER: {question} ASSISTANT:";

    private static IEnumerable<string> Texts(Scene scene)
    {
        yield return $" {System} USER: ";
        foreach (var question in new SceneQuestions(scene).Fill(30, _ => 5))
        {
            yield return $"{Turn(question.Question, isFirst: true)} {question.Answer}";
            yield return $" {Turn(question.Question, isFirst: false)} {question.Answer}";
        }
    }
}
