using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Scenes;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>
/// Images with many questions each. A row is the prompt's start, the image, then one segment per question, and every
/// segment sees the start, the image and itself only, at the positions it would have alone: each question is trained as
/// the single-turn prompt it is, and the image is paid for once. A row may instead be one conversation of several turns.
/// </summary>
internal sealed class StarBatch : IDisposable
{
    private readonly DisposeScopeList _tensors = [];

    private StarBatch(Tensor pixels, Rows rows, int imageAt)
    {
        ImageAt = imageAt;
        Count = rows.Count;
        Length = rows.Length;
        Questions = rows.Questions;
        QuestionOf = [.. rows.QuestionOfTarget];
        Pixels = Keep(pixels);
        Ids = Keep(tensor(rows.Ids, (long)rows.Count, rows.Length));
        Positions = Keep(tensor(rows.Positions));
        Segments = Keep(tensor(rows.Segments, (long)rows.Count, rows.Length));
        PredictedAt = Keep(tensor(rows.PredictedAt.ToArray()));
        Targets = Keep(tensor(rows.Targets.ToArray()));
        MentionedAt = Keep(tensor(rows.MentionedAt.ToArray()));
        Mentions = Keep(tensor(rows.Mentions.ToArray(), rows.MentionedAt.Count, SceneMentionLabels.Kinds.Count));
    }

    /// <summary>Rows.</summary>
    public int Count { get; }

    /// <summary>Positions per row, padding included.</summary>
    public int Length { get; }

    /// <summary>First position of the image in every row.</summary>
    public int ImageAt { get; }

    /// <summary>All questions, row by row.</summary>
    public IReadOnlyList<SceneQuestion> Questions { get; }

    /// <summary>For each predicted token the index of its question.</summary>
    public IReadOnlyList<int> QuestionOf { get; }

    /// <summary>(rows, 3, side, side).</summary>
    public Tensor Pixels { get; }

    /// <summary>(rows, length), int64; 0 at image positions and padding.</summary>
    public Tensor Ids { get; }

    /// <summary>(rows·length), int64: the position that RoPE sees.</summary>
    public Tensor Positions { get; }

    /// <summary>(rows, length), int64: 0 is the part that everything after it sees, −1 padding.</summary>
    public Tensor Segments { get; }

    /// <summary>(predictions), int64: index into (rows·length) whose logits predict the target.</summary>
    public Tensor PredictedAt { get; }

    /// <summary>(predictions), int64: the answers' tokens and their end tokens.</summary>
    public Tensor Targets { get; }

    /// <summary>(mentions), int64: index into (rows·length) of the last token of the words that speak of objects.</summary>
    public Tensor MentionedAt { get; }

    /// <summary>(mentions, kinds), int64: labels of <see cref="SceneMentionLabels"/>.</summary>
    public Tensor Mentions { get; }

    /// <summary>A row per scene; the questions come from the scene, up to a budget of tokens.</summary>
    public static StarBatch Make(IReadOnlyList<Scene> scenes, SceneTokenizer tokenizer, Checkpoints.VisionConfig vision, int textBudget, double conversationShare)
    {
        var rows = scenes.Select(scene => Compose(scene, tokenizer, textBudget, conversationShare)).ToArray();
        return Make(scenes, rows, tokenizer, vision);
    }

    /// <summary>A row per scene with one question of every kind.</summary>
    public static StarBatch OneOfEach(IReadOnlyList<Scene> scenes, SceneTokenizer tokenizer, Checkpoints.VisionConfig vision) =>
        Make(scenes, [.. scenes.Select(s => (new SceneQuestions(s).OneOfEach(), false))], tokenizer, vision);

    /// <summary>Additive mask (rows, 1, length, length).</summary>
    public Tensor Mask(ScalarType type)
    {
        var keys = Segments.unsqueeze(1);
        var isVisible = keys.eq(Segments.unsqueeze(2)).logical_or(keys.eq(Scalars.OfInteger(0))).logical_and(ones(Length, Length, ScalarType.Bool).tril());
        return zeros(Count, Length, Length, type).masked_fill(isVisible.logical_not(), Scalars.Of(double.NegativeInfinity)).unsqueeze(1);
    }

    /// <inheritdoc/>
    public void Dispose() => _tensors.Dispose();

    private static (IReadOnlyList<SceneQuestion> Questions, bool IsConversation) Compose(Scene scene, SceneTokenizer tokenizer, int budget, double conversationShare)
    {
        var isConversation = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Batch).Chance(conversationShare);
        var questions = new SceneQuestions(scene).Fill(
            budget,
            q => tokenizer.Question(q.Question, isFirst: true).Length + tokenizer.Answer(q.Question, q.Answer, isFirst: true).Length);
        return (questions, isConversation);
    }

    private static StarBatch Make(
        IReadOnlyList<Scene> scenes, (IReadOnlyList<SceneQuestion> Questions, bool IsConversation)[] rows, SceneTokenizer tokenizer, Checkpoints.VisionConfig vision)
    {
        var laidOut = new Rows(tokenizer, vision.Features, rows);
        return new StarBatch(ScenePixelTensor.Of(scenes, vision.ImageSize), laidOut, tokenizer.Prefix.Count);
    }

    private Tensor Keep(Tensor value)
    {
        _tensors.Add(value);
        return value;
    }

    private sealed class DisposeScopeList : List<Tensor>, IDisposable
    {
        public void Dispose() => ForEach(t => t.Dispose());
    }

    /// <summary>The integers of a batch.</summary>
    private sealed class Rows
    {
        private readonly int _start;

        public Rows(SceneTokenizer tokenizer, int features, (IReadOnlyList<SceneQuestion> Questions, bool IsConversation)[] rows)
        {
            _start = tokenizer.Prefix.Count + features;
            var encoded = rows.Select(row => row.Questions
                .Select((q, i) => (Turn: tokenizer.Question(q.Question, IsFirst(row.IsConversation, i)), Answer: tokenizer.Answer(q.Question, q.Answer, IsFirst(row.IsConversation, i))))
                .ToArray()).ToArray();
            Count = rows.Length;
            Length = _start + encoded.Max(row => row.Sum(s => s.Turn.Length + s.Answer.Length));
            Ids = new long[Count * Length];
            Positions = new long[Count * Length];
            Segments = new long[Count * Length];
            for (var row = 0; row < Count; row++)
            {
                LayOut(row, tokenizer, encoded[row], rows[row]);
                Questions.AddRange(rows[row].Questions);
            }
        }

        public int Count { get; }

        public int Length { get; }

        public long[] Ids { get; }

        public long[] Positions { get; }

        public long[] Segments { get; }

        public List<SceneQuestion> Questions { get; } = [];

        public List<long> PredictedAt { get; } = [];

        public List<long> Targets { get; } = [];

        public List<int> QuestionOfTarget { get; } = [];

        public List<long> MentionedAt { get; } = [];

        public List<long> Mentions { get; } = [];

        private static bool IsFirst(bool isConversation, int turn) => !isConversation || turn == 0;

        private void LayOut(
            int row, SceneTokenizer tokenizer, (int[] Turn, int[] Answer)[] segments, (IReadOnlyList<SceneQuestion> Questions, bool IsConversation) content)
        {
            var (prefix, isConversation) = (tokenizer.Prefix, content.IsConversation);
            var at = row * Length;
            for (var i = 0; i < _start; i++, at++)
            {
                (Ids[at], Positions[at]) = (i < prefix.Count ? prefix[i] : 0, i);
            }

            var position = _start;
            for (var s = 0; s < segments.Length; s++)
            {
                position = isConversation ? position : _start;
                var (turn, answer) = segments[s];
                AddMentions(content.Questions[s], at, tokenizer, IsFirst(isConversation, s));
                for (var i = 0; i < turn.Length + answer.Length; i++, at++)
                {
                    var isAnswer = i >= turn.Length;
                    Ids[at] = isAnswer ? answer[i - turn.Length] : turn[i];
                    (Positions[at], Segments[at]) = (position++, isConversation ? 0 : s + 1);
                    if (isAnswer)
                    {
                        PredictedAt.Add(at - 1);
                        Targets.Add(Ids[at]);
                        QuestionOfTarget.Add(Questions.Count + s);
                    }
                }
            }

            Array.Fill(Segments, -1, at, ((row + 1) * Length) - at);
        }

        private void AddMentions(SceneQuestion question, int at, SceneTokenizer tokenizer, bool isFirst)
        {
            foreach (var mention in question.Mentions)
            {
                MentionedAt.Add(at + tokenizer.Length(question.Question, mention.End, isFirst) - 1);
                Mentions.AddRange(SceneMentionLabels.Of(mention));
            }
        }
    }
}
