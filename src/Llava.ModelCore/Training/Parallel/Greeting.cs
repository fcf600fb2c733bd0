using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>What a process says first on a connection to another of its run.</summary>
/// <param name="Rank">Which of them it is.</param>
/// <param name="Size">How many it takes the run to have.</param>
/// <param name="Port">Where it listens itself.</param>
/// <param name="Token">What only processes of this run know.</param>
internal sealed record Greeting(int Rank, int Size, int Port, byte[] Token)
{
    /// <summary>Bytes of a token.</summary>
    public const int TokenLength = 32;

    /// <summary>Bytes of a greeting.</summary>
    public const int Length = 24 + TokenLength;

    /// <summary>Of all that is said on a connection.</summary>
    private const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "LLAVAGRP"u8;

    /// <summary>A token that nobody guesses.</summary>
    public static byte[] NewToken() => RandomNumberGenerator.GetBytes(TokenLength);

    /// <summary>As it is sent.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Length];
        Magic.CopyTo(bytes);
        foreach (var (i, number) in new[] { Version, Rank, Size, Port }.Index())
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8 + (4 * i)), number);
        }

        Token.CopyTo(bytes, 24);
        return bytes;
    }

    /// <summary>Reads a greeting; null where it is none of this version of this run.</summary>
    public static Greeting? Read(ReadOnlySpan<byte> bytes, int size, byte[] token)
    {
        if (!bytes.StartsWith(Magic) || Number(bytes, 0) != Version || Number(bytes, 2) != size || !CryptographicOperations.FixedTimeEquals(bytes[24..], token))
        {
            return null;
        }

        return new(Number(bytes, 1), size, Number(bytes, 3), token);

        static int Number(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadInt32LittleEndian(bytes[(8 + (4 * index))..]);
    }
}
