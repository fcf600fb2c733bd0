using System.Runtime.InteropServices;

namespace Llava.Benchmarks.LlamaCpp.Peer;

/// <summary>A language model in llama.cpp: flash attention, a cache of its own (half precision) for each sequence, all else as its defaults are.</summary>
internal sealed unsafe class LlamaEngine : IDisposable
{
    private readonly nint _model;
    private readonly nint _context;
    private readonly LlamaThreads _threads;
    private readonly int _vocabulary;
    private readonly Random _random = new(1);
    private int _sequences;
    private int _position;

    /// <param name="path">A GGUF file.</param>
    /// <param name="vocabulary">Tokens that the model knows.</param>
    /// <param name="sequences">Sequences that may run at the same time.</param>
    /// <param name="positions">Positions of each.</param>
    /// <param name="threads">Who computes; not disposed with this.</param>
    /// <exception cref="InvalidOperationException">llama.cpp refuses the file.</exception>
    public LlamaEngine(string path, int vocabulary, int sequences, int positions, LlamaThreads threads)
    {
        (_threads, _vocabulary) = (threads, vocabulary);
        _model = Llama.LoadModel(path, Llama.DefaultModelParameters());
        if (_model == 0)
        {
            throw new InvalidOperationException($"llama.cpp cannot load '{path}'.");
        }

        var parameters = Llama.DefaultContextParameters();
        (parameters.Positions, parameters.Sequences, parameters.FlashAttention) = ((uint)(sequences * positions), (uint)sequences, 1);
        (parameters.Threads, parameters.BatchThreads) = (threads.Count, threads.Count);
        _context = Llama.NewContext(_model, parameters);
        if (_context == 0)
        {
            throw new InvalidOperationException($"llama.cpp cannot hold {sequences} sequences of {positions} positions.");
        }

        Llama.AttachThreads(_context, threads.Pool, threads.Pool);
    }

    ~LlamaEngine() => Free();

    /// <summary>Brings sequences to where each decodes with a context; their prompt is computed once and copied.</summary>
    public void Fill(int sequences, int context)
    {
        Clear();
        _threads.Run(() => Decode(Tokens(context), 0, 0));
        for (var sequence = 1; sequence < sequences; sequence++)
        {
            Llama.CopySequence(Llama.MemoryOf(_context), 0, sequence, -1, -1);
        }

        (_sequences, _position) = (sequences, context);
        Step();
    }

    /// <summary>One token for every sequence, with its logits.</summary>
    public void Step() => _threads.Run(StepWithThreads);

    /// <summary>Computes a prompt and the logits of its last token.</summary>
    public void Prompt(int tokens) => Logits(Tokens(tokens));

    /// <summary>The logits after a prompt.</summary>
    public float[] Logits(int[] tokens)
    {
        Clear();
        _threads.Run(() => Decode(tokens, 0, 0));
        return new ReadOnlySpan<float>(Llama.LogitsOf(_context, -1), _vocabulary).ToArray();
    }

    /// <summary>Answers several prompts that begin with embeddings, one after the other, then decodes all of them together.</summary>
    /// <param name="embeddings">Makes the embeddings of a prompt, (positions, hidden), while the threads work.</param>
    /// <param name="prompts">How many.</param>
    /// <param name="hidden">Numbers of an embedding.</param>
    /// <param name="text">Tokens behind the embeddings.</param>
    /// <param name="answer">Tokens of each answer.</param>
    public void Answer(Func<int, float[]> embeddings, int prompts, int hidden, int text, int answer)
    {
        Clear();
        _threads.Run(() =>
        {
            for (var prompt = 0; prompt < prompts; prompt++)
            {
                var image = embeddings(prompt);
                Decode(image, image.Length / hidden, prompt);
                Decode(Tokens(text), image.Length / hidden, prompt);
                (_sequences, _position) = (prompts, (image.Length / hidden) + text);
            }

            for (var token = 1; token < answer; token++)
            {
                StepWithThreads();
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Clear()
    {
        Llama.ClearMemory(Llama.MemoryOf(_context), data: false);
        (_sequences, _position) = (0, 0);
    }

    private int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(3, _vocabulary))];

    private void StepWithThreads()
    {
        var sequences = Enumerable.Range(0, _sequences).ToArray();
        Decode(Tokens(_sequences), null, [.. sequences.Select(_ => _position)], sequences, [.. sequences.Select(_ => (byte)1)]);
        _position++;
    }

    private void Decode(int[] tokens, int position, int sequence) => Decode(tokens, null, Positions(position, tokens.Length), Repeated(sequence, tokens.Length), LastOf(tokens.Length));

    private void Decode(float[] embeddings, int count, int sequence) => Decode(null, embeddings, Positions(0, count), Repeated(sequence, count), new byte[count]);

    private static int[] Positions(int first, int count) => [.. Enumerable.Range(first, count)];

    private static int[] Repeated(int sequence, int count) => [.. Enumerable.Repeat(sequence, count)];

    private static byte[] LastOf(int count) => [.. Enumerable.Range(1, count).Select(i => (byte)(i == count ? 1 : 0))];

    private void Decode(int[]? tokens, float[]? embeddings, int[] positions, int[] sequences, byte[] hasLogits)
    {
        var ones = Repeated(1, positions.Length);
        fixed (int* tokenStart = tokens, positionStart = positions, sequenceStart = sequences, oneStart = ones)
        fixed (float* embeddingStart = embeddings)
        fixed (byte* logitStart = hasLogits)
        {
            var lists = (int**)NativeMemory.Alloc((nuint)positions.Length, (nuint)sizeof(int*));
            for (var i = 0; i < positions.Length; i++)
            {
                lists[i] = sequenceStart + i;
            }

            var result = Llama.Decode(_context, new()
            {
                Count = positions.Length,
                Tokens = tokenStart,
                Embeddings = embeddingStart,
                Positions = positionStart,
                SequenceCounts = oneStart,
                Sequences = lists,
                HasLogits = logitStart,
            });
            NativeMemory.Free(lists);
            if (result != 0)
            {
                throw new InvalidOperationException($"llama_decode returned {result}.");
            }
        }

        // It may return before the work is done; the logits wait for it.
        if (hasLogits[^1] == 1)
        {
            _ = Llama.LogitsOf(_context, -1);
        }
    }

    private void Free()
    {
        Llama.FreeContext(_context);
        Llama.FreeModel(_model);
    }
}
