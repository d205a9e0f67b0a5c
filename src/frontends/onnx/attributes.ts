import type { OnnxAttribute } from './wire.js';

/** Where an attribute's value may lie. */
export type AttributeField = 'f' | 'i' | 's' | 't' | 'ints' | 'floats';

const fields: readonly AttributeField[] = ['f', 'i', 's', 't', 'ints', 'floats'];

/** Whether an attribute may be read as one of this type: its value lies there, or nowhere (zeros and empty lists are left out). */
export function isOfType(attribute: OnnxAttribute, field: AttributeField): boolean {
  const given = fields.filter((one) => {
    const value = attribute[one];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  });
  return given.includes(field) || (given.length === 0 && !attribute.isGraph);
}
