Feature: Klarna evolves
  Klarna adds fields, values, headers, events and statuses without asking, and changes the form of its ids.
  An acquirer that takes what it needs, and leaves the rest alone, notices nothing.

  @AP-41
  Scenario Outline: A payment with a step-up comes to its end: <evolution>
    Given a Partner with an order of 459.00 SEK
    And Klarna has evolved by <evolution>
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then Klarna notifies the acquirer by webhook that the payment request is completed
    And the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize
    And the acquirer lives with what is new

    Examples:
      | evolution                 |
      | fields that nobody knows  |
      | values that nobody knows  |
      | another order of keys     |
      | other success statuses    |
      | longer ids                |
      | headers that nobody knows |
      | events that nobody knows  |
      | everything at once        |

  @AP-41
  Scenario Outline: What Klarna decides at once reaches the Partner: <decision>
    Given a Partner with an order of 459.00 SEK
    And Klarna has evolved by everything at once
    And Klarna will <decision> the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is <outcome>
    And the acquirer lives with what is new

    Examples:
      | decision | outcome  |
      | approve  | approved |
      | decline  | declined |

  @AP-41 @AP-21
  Scenario: A refusal reaches the Partner
    Given a Partner with an order of 459.00 SEK
    And Klarna has evolved by everything at once
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer refuses the purchase
    Then the acquirer tells the Partner that the payment is declined
    And the acquirer makes no final authorize
    And the acquirer lives with what is new
