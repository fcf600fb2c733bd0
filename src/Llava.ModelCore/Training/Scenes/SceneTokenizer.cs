using System.Collections.Concurrent;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Scenes;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>
/// The tokenizer of the model that ships, and the prompt around a question in its ids. The template is <c>vicuna_v1</c>;
/// every stretch of text around the image and after <c>&lt;/s&gt;</c> is encoded on its own (spec 1.5, 1.6).
/// </summary>
public sealed class SceneTokenizer
{
    /// <summary>Name of the prompt template that the model is trained with.</summary>
    public const string TemplateName = "vicuna_v1";

    private const int TrainingScenes = 4000;

    private static readonly ConversationTemplate Template = ConversationTemplates.Find(TemplateName);

    private readonly ITokenizer _tokenizer;
    private readonly int _end;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();

    /// <summary>Wraps a LLaMA tokenizer.</summary>
    public SceneTokenizer(ITokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _end = tokenizer.EosId ?? throw new SceneTrainingException("The tokenizer has no end token, which every answer ends with.");
        Prefix = [.. tokenizer.Encode(Opening, addBos: true)];
    }

    /// <summary>Ids in front of the image.</summary>
    public IReadOnlyList<int> Prefix { get; }

    private static string Opening => $"{Template.System}{Template.Separator}{Template.UserRole}: ";

    /// <summary>Learns a tokenizer from the scenes' language and writes its files.</summary>
    /// <param name="folder">Folder of the files; made if missing.</param>
    /// <param name="vocabularySize">Pieces, special ones included.</param>
    /// <param name="maxObjects">Most objects in a scene.</param>
    /// <exception cref="SceneTrainingException">The language has fewer pieces than that.</exception>
    public static SceneTokenizer Train(string folder, int vocabularySize, int maxObjects)
    {
        var texts = Enumerable.Range(0, TrainingScenes).SelectMany(seed => Texts(Scene.FromSeed(seed, maxObjects)));
        var wanted = vocabularySize - SentencePieceWriter.SpecialPieces;
        var pieces = BytePairTrainer.Learn(texts, wanted);
        if (pieces.Count != wanted)
        {
            throw new SceneTrainingException(
                $"The scenes' language gives {pieces.Count + SentencePieceWriter.SpecialPieces} pieces, fewer than the {vocabularySize} asked for; lower vocabularySize.");
        }

        SentencePieceWriter.WriteFolder(folder, pieces);
        return Open(folder);
    }

    /// <summary>Opens the tokenizer of a folder.</summary>
    public static SceneTokenizer Open(string folder) => new(TokenizerFolder.Open(folder));

    /// <summary>Ids of a question as it follows the image (first turn) or the previous answer, up to the point where the answer begins.</summary>
    public int[] Question(string question, bool isFirst) => Encode(Turn(question, isFirst));

    /// <summary>How many of the ids of <see cref="Question"/> the question's first <paramref name="characters"/> characters, which end with a word, take.</summary>
    public int Length(string question, int characters, bool isFirst) => Encode(Start(isFirst) + question[..characters]).Length;

    /// <summary>Ids of an answer, the end token included, as they stand behind <see cref="Question"/>.</summary>
    public int[] Answer(string question, string answer, bool isFirst)
    {
        var whole = Encode($"{Turn(question, isFirst)} {answer}");
        return [.. whole.AsSpan(Encode(Turn(question, isFirst)).Length), _end];
    }

    /// <summary>Ids of words inside a sentence.</summary>
    public int[] Word(string words) => Encode(words);

    private static string Turn(string question, bool isFirst) =>
        $"{Start(isFirst)}{question}{Template.Separator}{Template.AssistantRole}:";

    private static string Start(bool isFirst) => isFirst ? "\n" : Template.UserRole + ": ";

    private static IEnumerable<string> Texts(Scene scene)
    {
        yield return $" {Opening}";
        foreach (var question in new SceneQuestions(scene).Fill(30, _ => 5))
        {
            yield return $"{Turn(question.Question, isFirst: true)} {question.Answer}";
            yield return $" {Turn(question.Question, isFirst: false)} {question.Answer}";
        }
    }

    private int[] Encode(string text) => _cache.GetOrAdd(text, static (t, tokenizer) => [.. tokenizer.Encode(t, addBos: false)], _tokenizer);
}
